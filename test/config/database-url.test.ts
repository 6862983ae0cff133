import { readDatabaseUrl } from '../../src/config/database-url.js';

const read = (query: string) => readDatabaseUrl(`postgres://u@localhost/d?${query}`);
const faultOf = (query: string) => {
  try {
    read(query);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
};

test('all parts are read, decoded', () => {
  expect(readDatabaseUrl('postgresql://us%40er:p%2Fw@db.example.com:6543/na%20me')).toMatchObject({
    host: 'db.example.com',
    port: 6543,
    user: 'us@er',
    password: 'p/w',
    database: 'na me',
    applicationName: 'keyway',
    connectTimeoutMs: 5_000,
    schema: undefined,
    pooled: false,
  });
  expect(readDatabaseUrl('postgres://%2Fvar%2Frun/d')).toMatchObject({ host: '/var/run', tls: 'local' });
  expect(
    readDatabaseUrl('postgres:///?host=/var/run&port=6432&user=u&password=p%26&dbname=d&schema=mine'),
  ).toMatchObject({
    host: '/var/run',
    port: 6432,
    user: 'u',
    password: 'p&',
    database: 'd',
    schema: 'mine',
  });
});

test.each([
  ['application_name=mine', { applicationName: 'mine' }],
  ['fallback_application_name=mine', { applicationName: 'mine' }],
  ['connect_timeout=2', { connectTimeoutMs: 2_000 }],
  ['connect_timeout=10', { connectTimeoutMs: 5_000 }],
  ['channel_binding=prefer', { channelBinding: true }],
  ['channel_binding=disable', { channelBinding: false }],
  ['target_session_attrs=read-write&client_encoding=UTF8', { tls: 'local' }],
  ['pgbouncer=true', { pooled: true }],
  ['sslmode=require', { tls: 'verified' }],
  ['ssl=true', { tls: 'verified' }],
  ['ssl=0', { tls: 'local' }],
  ['ssl=no-verify', { tls: 'unverified' }],
  ['sslrootcert=/etc/ca.pem', { tls: 'verified', files: { ca: '/etc/ca.pem' } }],
  ['sslrootcert=system', { tls: 'verified', files: {} }],
  ['sslcert=/c.pem&sslkey=/k.pem', { files: { cert: '/c.pem', key: '/k.pem' } }],
])('%s', (query, read_) => expect(read(query)).toMatchObject(read_));

test.each([
  ['-c work_mem=64MB', { work_mem: '64MB' }],
  ['-cwork_mem=64MB  --search-path=a,b', { work_mem: '64MB', search_path: 'a,b' }],
  ['-c search_path=a\\ b\\\\c -c search_path=d', { search_path: 'd' }],
  ['-c DateStyle=SQL,\\ DMY', { datestyle: 'SQL, DMY' }],
])('options=%s', (options, settings) => {
  expect(Object.fromEntries(read(`options=${encodeURIComponent(options)}`).settings)).toEqual(settings);
});

test.each([
  ['nonsense=secret-value', 'its parameter nonsense is not known to Keyway'],
  ['search_path=secret-value', 'its name is schema'],
  ['currentSchema=secret-value', 'its name is schema'],
  ['sslpassword=secret-value', 'its parameter sslpassword is not known'],
  ['sslmode=secret-value', 'its parameter sslmode must be one of'],
  ['ssl=secret-value', 'its parameter ssl must be one of'],
  ['channel_binding=require', 'its parameter channel_binding must be'],
  ['target_session_attrs=read-only', 'its parameter target_session_attrs must be'],
  ['client_encoding=secret-value', 'must be UTF8'],
  ['connect_timeout=0', 'its connect_timeout must be a whole number'],
  ['port=secret-value', 'its port must be a whole number'],
  ['host=secret-value,b', 'must name one host'],
  ['pgbouncer=secret-value', 'must be true or false'],
  ['schema=a&schema=secret-value', 'its parameter schema is given more than once'],
  ['secret-value%20=1', 'one of its parameters is not known'],
  ['options=endpoint%3Dsecret-value', 'options must be of the form'],
  ['options=-c%20secret-value', 'options must be of the form'],
  ['options=-c', 'options must be of the form'],
  ['options=-d%205', 'options must be of the form'],
  // It would swallow the space before what Keyway adds.
  ['options=-c%20a%3Dsecret-value%5C', 'options must be of the form'],
])('%s is refused by its name, without its value', (query, fault) => {
  expect(faultOf(query)).toContain(fault);
  expect(faultOf(query)).not.toContain('secret-value');
});

test.each(['password=se%E4cret', 'options=-c%20a%3D%ED%A0%80'])('%s is no UTF-8', (query) => {
  expect(faultOf(query)).toContain('a % in it must be written as %25');
});

test.each([
  'postgres://u:12#secret@h/d?sslmode=require',
  'postgres://u@h/d#',
  'postgres://u@h/d?options=#secret',
])('what follows a # in %s is not left out', (url) =>
  expect(() => readDatabaseUrl(url)).toThrow(/^cannot be used: a # in it must be written as %23$/),
);

test.each(['nonsense', 'mysql://u@h/d', 'postgres://u:se%zzcret@h/d'])('%s is no address', (url) => {
  expect(() => readDatabaseUrl(url)).toThrow(/^(must be a PostgreSQL address|cannot be used: a % in it)/);
});
