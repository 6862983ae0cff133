import { largestPage } from '../config/limits.js';
import { notFound } from '../errors.js';
import { groupSchema } from './group.js';
import { listResponse } from './list.js';
import { userSchema, type Resource } from './user.js';

// What a client may find out before it begins (RFC 7644, section 4). Nothing here is about anybody.

const configSchema = 'urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig';
const typeSchema = 'urn:ietf:params:scim:schemas:core:2.0:ResourceType';
const schemaSchema = 'urn:ietf:params:scim:schemas:core:2.0:Schema';

/** What of SCIM there is here. */
export const serviceProviderConfig = (base: string): Resource => ({
  schemas: [configSchema],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: largestPage },
  changePassword: { supported: false },
  sort: { supported: false },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: 'oauthbearertoken',
      name: 'Bearer token',
      description: 'A token of the account that is the client of the directory.',
      specUri: 'https://www.rfc-editor.org/rfc/rfc6750',
      primary: true,
    },
  ],
  meta: { resourceType: 'ServiceProviderConfig', location: `${base}/ServiceProviderConfig` },
});

const types = (base: string): Resource[] =>
  [
    { id: 'User', description: 'A person: an account of Keyway.', schema: userSchema },
    { id: 'Group', description: 'People who hold the same roles.', schema: groupSchema },
  ].map(({ id, ...more }) => ({
    schemas: [typeSchema],
    id,
    name: id,
    endpoint: `/${id}s`,
    ...more,
    schemaExtensions: [],
    meta: { resourceType: 'ResourceType', location: `${base}/ResourceTypes/${id}` },
  }));

const described = (name: string, description: string, more: object = {}) => ({
  name,
  type: 'string',
  multiValued: false,
  description,
  required: false,
  caseExact: false,
  mutability: 'readWrite',
  returned: 'default',
  uniqueness: 'none',
  ...more,
});

const externalId = described('externalId', 'What the identity provider calls it by.', { caseExact: true });

const schemas = (base: string): Resource[] =>
  [
    {
      id: userSchema,
      name: 'User',
      description: 'A person, as far as Keyway keeps what is said of them.',
      attributes: [
        described('userName', 'Unique in the directory, whatever the case.', {
          required: true,
          uniqueness: 'server',
        }),
        externalId,
        described('displayName', 'The name shown to people: the title of the account.'),
        described('name', 'The parts of the name.', {
          type: 'complex',
          subAttributes: [
            described('givenName', 'The given name.'),
            described('familyName', 'The family name.'),
          ],
        }),
        described('emails', 'One address is kept: the primary one, or the first.', {
          type: 'complex',
          multiValued: true,
          subAttributes: [
            described('value', 'The address.'),
            described('type', 'Always work.', { mutability: 'readOnly' }),
            described('primary', 'Always true.', { type: 'boolean', mutability: 'readOnly' }),
          ],
        }),
        described('active', 'Whether the person may do anything here.', { type: 'boolean' }),
      ],
    },
    {
      id: groupSchema,
      name: 'Group',
      description: 'People of the directory. Which roles they hold with it, the setting KEYWAY_SCIM says.',
      attributes: [
        described('displayName', 'Unique in the directory, whatever the case.', {
          required: true,
          uniqueness: 'server',
        }),
        externalId,
        described('members', 'The users that are in it.', {
          type: 'complex',
          multiValued: true,
          subAttributes: [
            described('value', 'The id of the user.', { mutability: 'immutable', caseExact: true }),
            described('$ref', 'The address of the user.', {
              type: 'reference',
              referenceTypes: ['User'],
              mutability: 'readOnly',
            }),
            described('type', 'Always User.', { canonicalValues: ['User'], mutability: 'readOnly' }),
          ],
        }),
      ],
    },
  ].map((schema) => ({
    schemas: [schemaSchema],
    ...schema,
    meta: { resourceType: 'Schema', location: `${base}/Schemas/${schema.id}` },
  }));

const kinds = { ResourceTypes: types, Schemas: schemas };

/** All resource types or schemas, or the one that is called so. @throws NOT_FOUND */
export function aboutScim(kind: keyof typeof kinds, base: string, id?: string): Resource {
  const all = kinds[kind](base);
  if (id === undefined) return listResponse(all, all.length);
  const one = all.find((resource) => resource['id'] === id);
  if (!one) throw notFound();
  return one;
}
