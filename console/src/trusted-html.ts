// React Aria empties what is read out by `innerHTML = ''`. That text may become HTML in this page, and no other: the policy
// of the page lets no script make another rule.
const rules = { createHTML: (text: string) => (text === '' ? text : null) };
(
  window as { trustedTypes?: { createPolicy(name: string, own: typeof rules): unknown } }
).trustedTypes?.createPolicy('default', rules);
