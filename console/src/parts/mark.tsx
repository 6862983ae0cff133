/** Keyway's mark, a keyhole, beside a word that says the same. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#0f766e" />
      <path
        fill="#fff"
        d="M16 6.5a5.5 5.5 0 0 1 2.9 10.2l1.9 7.3a1.2 1.2 0 0 1-1.2 1.5h-7.2a1.2 1.2 0 0 1-1.2-1.5l1.9-7.3A5.5 5.5 0 0 1 16 6.5z"
      />
    </svg>
  );
}
