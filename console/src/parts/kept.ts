/** A text that this browser keeps under a name, where it keeps any: it may be told to keep none. */
export const keptAs = (name: string) => ({
  read(): string | null {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  },
  write(text: string): void {
    try {
      localStorage.setItem(name, text);
    } catch {
      // It holds for as long as the page is open.
    }
  },
});
