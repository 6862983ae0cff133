/** What a role may do where Keyway's tables are, or are to be, as `askRights` finds it: names are quoted for SQL. */
export interface RoleRights {
  role: string;
  database: string;
  schema: string;
  /** May make tables in the schema. */
  tables: boolean;
  /** Has the extension, or may make it: it is a trusted one, for whoever may create in the database. */
  extension: boolean;
  /** The database or its server has the extension at all: not where only the core of PostgreSQL is installed. */
  offered: boolean;
  /** The owner of tables that are there, whose member the role is not. */
  stranger: string | null;
}

/**
 * Expects of the role what migrations need.
 * @throws an Error to show, which names DATABASE_URL and the statements that give the rights that are missing; or what is
 * to be installed on the server.
 */
export function expectRights(rights: RoleRights | undefined): void {
  if (rights && !rights.offered)
    throw new Error(
      "Keyway cannot start:\n  the server of DATABASE_URL does not have the extension pg_trgm: install PostgreSQL's contrib modules there (the package postgresql-contrib, where they are apart)",
    );
  const missing = rights ? missingOf(rights) : [];
  if (missing.length > 0)
    throw new Error(
      `Keyway cannot start:\n  DATABASE_URL names a role that may not make or change Keyway's tables. As their owner or a superuser:\n${missing.map((line) => `    ${line};`).join('\n')}`,
    );
}

const missingOf = ({ role, database, schema, tables, extension, stranger }: RoleRights): string[] => [
  ...(tables ? [] : [`GRANT USAGE, CREATE ON SCHEMA ${schema} TO ${role}`]),
  ...(extension ? [] : [`GRANT CREATE ON DATABASE ${database} TO ${role}`]),
  ...(stranger === null ? [] : [`GRANT ${stranger} TO ${role}`]),
];

/** SQL for the `RoleRights` of whoever asks. */
export const askRights = `
    SELECT quote_ident(current_user) AS role, quote_ident(current_database()) AS database,
      quote_ident(current_schema()) AS schema, has_schema_privilege(current_schema(), 'CREATE') AS tables,
      EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')
        OR has_database_privilege(current_database(), 'CREATE') AS extension,
      EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm')
        OR EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS offered,
      (SELECT quote_ident(pg_get_userbyid(relowner)) FROM pg_class
       WHERE relkind IN ('r', 'p') AND relnamespace = to_regnamespace(quote_ident(current_schema()))
         AND relname IN ('migrations', 'credentials') AND NOT pg_has_role(relowner, 'USAGE') LIMIT 1) AS stranger`;
