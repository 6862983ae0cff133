/**
 * The uuids that are given by that name, as a list. PostgreSQL keeps the plan of a statement where it looks no dearer than
 * one for the values at hand (https://www.postgresql.org/docs/current/sql-prepare.html#SQL-PREPARE-NOTES). An array that
 * is given outright it takes for ten values while it does not know it: where one was given, each run was planned anew,
 * which took up to ten times as long as the run. Of an array that is read by a query it never knows.
 */
export const uuidsGiven = (name: string): string => `ARRAY(SELECT unnest(CAST(:${name} AS uuid[])))`;

/** Those that are given as `ids`. */
export const idsGiven = uuidsGiven('ids');

/** `c.id = ${anyOfIds}`: one of those. */
export const anyOfIds = `ANY(${idsGiven})`;
