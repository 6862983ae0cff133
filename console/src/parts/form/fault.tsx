/** What was wrong, at a field that a form of the browser knows nothing of. */
export const Fault = ({ text }: { text: string | undefined }) =>
  text !== undefined && <span className="react-aria-FieldError">{text}</span>;
