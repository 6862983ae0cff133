// Whether a credential works, in SQL: at use, by the clock of the database, and the same for those who call Keyway and
// for those who are presented to it. Said of a credential `c` of account `a`, derived from `parent` or from nothing.

/** That whoever answers for a credential goes on: its owner, where it has one. Looked up for that one alone. */
const ownerGoesOn = (credential: string) =>
  `coalesce((SELECT o.enabled AND o.deleted_at IS NULL FROM accounts o WHERE o.id = ${credential}.owner_id), true)`;

/** Joins the parent that a temporary credential was derived from: it works no longer, and nowhere else, than that one. */
export const joinParent = `
  LEFT JOIN LATERAL (
    SELECT p.allowed_ips, CASE
        WHEN p.revoked_at IS NOT NULL OR p.deleted_at IS NOT NULL OR NOT EXISTS (
          SELECT 1 FROM credential_versions pv
          WHERE pv.credential_id = p.id AND pv.number = coalesce(c.parent_version, pv.number)
            AND (pv.state = 'CURRENT' OR pv.state = 'PREVIOUS' AND pv.valid_until > now())
        ) OR p.project_id IS DISTINCT FROM c.project_id THEN 'REVOKED'
        WHEN p.expires_at <= now() THEN 'EXPIRED'
        WHEN NOT p.enabled OR NOT pa.enabled OR pa.deleted_at IS NOT NULL OR NOT ${ownerGoesOn('p')} THEN 'DISABLED'
        WHEN p.standing <> 'KNOWN' THEN 'NOT_VALID'
      END AS fault
    FROM credentials p JOIN accounts pa ON pa.id = p.account_id
    WHERE p.id = c.parent_id
  ) parent ON c.parent_id IS NOT NULL`;

/** Why it does not work; null where it does. */
export const fault = `CASE
    WHEN c.revoked_at IS NOT NULL THEN 'REVOKED'
    WHEN c.expires_at <= now() THEN 'EXPIRED'
    WHEN NOT c.enabled OR NOT a.enabled OR a.deleted_at IS NOT NULL OR NOT ${ownerGoesOn('c')} THEN 'DISABLED'
    WHEN c.standing <> 'KNOWN' THEN 'NOT_VALID'
    ELSE parent.fault END`;

/** A version `v` of it whose secret works. */
export const live = `(v.state = 'CURRENT' OR v.state = 'PREVIOUS' AND v.valid_until > now())`;

/** That it carries the role of `cr`, which is attached to it: what was derived with a role has it while its parent does. */
export const carriesRole = `(c.parent_id IS NULL OR EXISTS (
    SELECT 1 FROM credential_roles pr WHERE pr.credential_id = c.parent_id AND pr.role_id = cr.role_id))`;

/** The roles `r` that it carries. */
export const carriedRoles = `credential_roles cr JOIN roles r ON r.id = cr.role_id
  WHERE cr.credential_id = c.id AND ${carriesRole}`;
