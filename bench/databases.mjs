// The databases of the bed, on the server of DATABASE_URL.
import pg from 'pg';

/** The server that all is measured on. */
export function serverUrl() {
  const url = process.env.DATABASE_URL;
  if (!url)
    throw new Error('set DATABASE_URL to a PostgreSQL on this machine whose role may create databases');
  return url;
}

/** The URL of another database of the same server. */
export function urlOf(name) {
  const url = new URL(serverUrl());
  url.pathname = `/${name}`;
  return url.href;
}

export const hasDatabase = async (name) =>
  (await statements(serverUrl(), [`SELECT 1 FROM pg_database WHERE datname = '${name}'`])).length > 0;

export async function createDatabase(name) {
  await dropDatabase(name);
  await statements(serverUrl(), [`CREATE DATABASE ${name}`]);
}

export const dropDatabase = (name) =>
  statements(serverUrl(), [`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`]);

/** Runs statements one after the other on one connection; returns the rows of the last. */
export async function statements(url, texts) {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    let rows = [];
    for (const text of texts) ({ rows } = await client.query(text));
    return rows;
  } finally {
    await client.end();
  }
}
