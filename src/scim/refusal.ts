import { KeywayError, type Code } from '../errors.js';

/** Why a request cannot be taken, in the words of RFC 7644, section 3.12. */
export type ScimType =
  | 'invalidFilter'
  | 'invalidPath'
  | 'invalidSyntax'
  | 'invalidValue'
  | 'mutability'
  | 'noTarget'
  | 'tooMany'
  | 'uniqueness';

/** An error that SCIM has a word or a status of its own for. */
export class ScimRefusal extends KeywayError {
  constructor(
    code: Code,
    message: string,
    readonly scimType: ScimType | undefined,
    /** The HTTP status, where it is not that of the code. */
    readonly status?: number,
  ) {
    super(code, message);
  }
}

/** What is asked for in a way that cannot be meant. */
export const unfit = (scimType: ScimType, message: string): ScimRefusal =>
  new ScimRefusal('BAD_USER_INPUT', message, scimType);

/** Of something that is to be there once. */
export const taken = (message: string): ScimRefusal => new ScimRefusal('CONFLICT', message, 'uniqueness');

/** If-Match names another version than that which is there. */
export const stale = (): ScimRefusal =>
  new ScimRefusal(
    'CONFLICT',
    'The resource was changed meanwhile: read it again, and repeat the request if you still want it.',
    undefined,
    412,
  );

export const errorSchema = 'urn:ietf:params:scim:api:messages:2.0:Error';

/** An error as SCIM has it (RFC 7644, section 3.12). */
export const scimError = (status: number, detail: string, scimType?: ScimType): object => ({
  schemas: [errorSchema],
  status: String(status),
  ...(scimType && { scimType }),
  detail,
});
