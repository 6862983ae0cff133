/** Who the caller is, and what the account may do and where. */
export const whoamiQuery = `query Whoami {
  viewer {
    id name title kind enabled mfaRequired mfaEnrolled
    grants { id role { name } onAccount { name } onProject { name } }
  }
}`;

/** Whether a token is good. */
export const loginQuery = `query Login { viewer { id name } }`;
