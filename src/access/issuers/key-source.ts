/** Where the keys of an issuer are had from. */
export interface KeySource {
  /**
   * The set of keys (a JWKS, RFC 7517) as it is by now.
   * @throws for whatever keeps it from being had, in words that hold nothing of what was read
   */
  read(): Promise<Record<string, unknown>>;
  /** Whether there may be others than were read last; left out where nobody knows that without reading. */
  changed?: () => Promise<boolean>;
}
