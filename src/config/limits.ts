/**
 * The limits that callers can run into, each with its reason. Each stands here, and nowhere else.
 * What a vendor allows stands with its connector, what the keyring and the signatures can take with them; how often and
 * how much at a time something is done, which nobody is refused by, where it is done.
 */

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const dayMs = 24 * 60 * minuteMs;
const kibibyte = 1_024;

// Pages and lists

/** Items of a page: what the statements behind a page, and the answer, stay quick with. */
export const largestPage = 100;

/** Items of a page whose size is left out: what a screen shows. */
export const usualPage = 20;

/** Ids that `nodes` takes: as many as a page. */
export const mostNodes = largestPage;

/** Items of a list in an input, such as a filter's: each is a parameter of a statement. */
export const mostListed = 100;

/** Days for which it is kept how often credentials were verified, and which one answer may look back: a year, and some to compare. */
export const daysKept = 400;

/** What `insight` costs besides its rows, in points: it looks at all that its caller may see, for up to half a second. */
export const insightCost = 200;

/** Roles of one store that a sync makes by itself: no vendor has so many, and a listing could name any number. */
export const mostRolesOfStore = 1_000;

/** What is verified in one request: each may cost a signature or a hash, and passwords wait for a thread. */
export const mostVerified = 100;

/** Identities of one account: one at each issuer that it may come from, and some to spare. */
export const mostIdentities = 20;

/**
 * Stars of one pattern of identities, and patterns of one issuer that begin alike: each that begins as a caller's name does
 * is compared with it.
 */
export const mostWildcards = 8;
export const mostAlikePatterns = 100;

/** Roles of one issuer that its tokens can bring: each that a token brings is looked up for every request. */
export const mostRolesOfIssuer = 100;

/** Accounts that an issuer's tokens make by themselves, where nothing else is set, and at most. */
export const usualFirstSights = 1_000;
export const mostFirstSights = 100_000;

/** Faults of one input that are told: more help nobody, and would make the answer longer than the request. */
export const mostFaults = 100;

/** Errors that one answer tells of: one for each row of a page. A fault of an argument would come again with every row. */
export const mostErrors = largestPage;

/** Places in the document that are told of one error: it may have been made at hundreds. */
export const mostLocations = 10;

/** The most that one GraphQL request may ask for, so that none keeps the others waiting. */
export const largestQuery = {
  /** Of the document: parsing costs time before anything else can be refused. */
  tokens: 2_000,
  /** Lines without a token cost time too. */
  lines: 10_000,
  /** Fields beneath fields: three lists within each other, with their nodes, and a field of the last. */
  depth: 8,
  /** Of introspection alone: what code generators and explorers ask for is 14 deep. */
  introspectionDepth: 20,
  /** Operations of a document: all are validated, whichever is asked for. */
  operations: 25,
  /** Fields and fragments, with every fragment written out: each is validated, and may be compared with others. */
  fields: 1_000,
  /** Pairs of fields under one name in one place, which validation compares: ten thousand take 10 ms. */
  comparisons: 10_000,
  /** Characters of a name. */
  nameLength: 200,
  aliases: 20,
  directives: 20,
  rootFields: 10,
  /** Fields that look at a secret: with aliases, one request would be many tries. */
  guardedFields: 1,
  /** Points, of about one row each. */
  cost: 5_000,
  /** Objects and lists within each other, in a value. */
  valueDepth: 16,
  /** Items of a list anywhere in a value, before its own rule is looked at. */
  listItems: 1_000,
  pageSize: largestPage,
} as const;

/**
 * Points of what one account has in execution below which its next operation begins; the others wait in its own line.
 * A thousand points hold the event loop for up to a tenth of a second, which is what others then wait for; a page of fifty
 * rows with what is around each still runs beside another.
 */
export const mostPointsUnderWay = 1_000;

/**
 * The same of all accounts of one tenant, an operation counted as `mostPointsUnderWay` at most: one account never has so
 * much by itself, so that it holds up none beside it, and a thousand have no more than two.
 */
export const mostPointsOfTenant = 2 * mostPointsUnderWay;

/**
 * Both grow together while the queries of a tenant take no longer than the first, to so many times as much at most, and
 * shrink where one takes longer than the second: points are counted for the worst, and what runs side by side shares
 * statements. So much as is under way then is what another caller waits for, about as long as the last of it took.
 */
export const quickQueryMs = 75;
export const slowQueryMs = 150;
export const mostGrowth = 8;

/**
 * Tokens of documents that were not seen before, which one account may send in this time: as many as a hundred of the
 * longest. Validating those takes about a second. And all accounts of one tenant: one leaves as much for those beside it.
 */
export const mostNewTokens = 200_000;
export const mostNewTokensOfTenant = 2 * mostNewTokens;
export const newTokensMs = 10 * secondMs;

/** Documents that are kept, so that they are not validated again: by number, and by their tokens in all. */
export const mostDocuments = 1_000;
export const mostKeptTokens = 100_000;

// Texts, in characters

/** A name or title of anything, and what is searched for: a line on a screen. */
export const longestName = 200;

/** A name that is fit for a URL. */
export const longestSlug = 64;

/** A description. */
export const longestDescription = 2_000;

/** A code of a second factor, or a recovery code, with the blanks and hyphens that people type. */
export const longestCode = 64;

/** A category, by which credentials are told apart. */
export const longestCategory = 100;

// Requests

/** The body of a request: the longest signed request that is verified fits in, or a hundred short ones. */
export const largestBody = 256 * kibibyte;

/** A body that is read when its caller's turn comes, as reading it may take milliseconds. */
export const largeBody = 16 * kibibyte;

/**
 * Requests of all callers that are under way at once, where nothing else is set, but for those that wait for a store: some
 * dozens keep a core busy, and of more each is answered later, and no more of them in a second.
 */
export const usualRequests = 160;

/** Requests beyond those that revoke and do nothing else, and are let in whatever else is under way. */
export const mostRevoking = 8;

/** Requests of one account at once, where nothing else is set: a busy service has some dozens. */
export const usualUnderWay = 100;

/**
 * What an account may spend in a minute, in points of cost, where nothing else is set, and at most: what five cores do with
 * nothing else to do. A backend that reads a page of fifty with what is around each, fifty times a second, spends a third.
 */
export const usualRates = {
  points: 3_000_000,
  /** Refusals in a minute: fifty a second are no backend's mistakes. */
  failures: 3_000,
} as const;
export const mostRates = { points: 1_000_000_000, failures: 10_000_000 } as const;

/** What each proof may spend in a minute on revoking, whatever else is used up: eighty credentials, or a tenth of the points. */
export const leastReserve = 1_000;

/** A cursor, whatever it is made of. */
export const longestCursor = 2_000;

/** What a signed request that is verified may hold: the address or a header, all headers, and the body. */
export const longestSignedUrl = 16_000;
export const mostSignedHeaders = 100;
export const longestSignedBody = 200_000;

/** What Keyway proves itself with at a store: no vendor has longer ones. */
export const mostSecretBytes = 16 * kibibyte;

/** A proof in an Authorization header: the longest that any issuer's token may be, with a thousand groups in it. */
export const longestBearer = 48 * kibibyte;

/** A token of an issuer for which nothing else is set: two hundred groups fit in. */
export const usualJwtBytes = 16 * kibibyte;

/** All headers of a request: beside the longest token there is what Node takes by itself. */
export const largestHeaders = longestBearer + 16 * kibibyte;

/** How long a client may take to send its headers, and then the rest: a slow one holds a connection. */
export const slowestHeadersMs = 10 * secondMs;
export const slowestRequestMs = 15 * secondMs;

// Tries

/**
 * Wrong passwords of one user name, and wrong codes of one second factor, that are looked at in `lockedMs`: a person
 * who mistypes has some left, and one who guesses has 480 a day.
 */
export const mostTries = 5;

/** Credentials with one user name that are told apart by their passwords: a caller that sees more names a project. */
export const mostNamesakes = 5;

/** How long a user name or a second factor is locked then. */
export const lockedMs = 15 * minuteMs;

// How long things live

/** The longest that a previous secret works beside its successor: what needs longer was forgotten. */
export const longestGrace = 'P90D';

/** The longest between two rotations of a policy: a secret of ten years is one that is never rotated. */
export const longestPolicy = 'P10Y';

/** What a temporary credential lives: for less it would end on its way, for more a permanent one is meant. */
export const shortestIssue = 'PT10M';
export const longestIssue = 'PT36H';

/** What the uses of a credential are counted over at most: longer than a month, remaining uses are meant. */
export const longestWindow = 'P31D';

/** The time between two refills of remaining uses: for less a window is meant, and more is longer than a year. */
export const shortestRefill = 'PT1M';
export const longestRefill = 'P366D';

/** Uses that a limit of a credential allows, and that one verification counts as: half of what the database counts to. */
export const mostUses = 1_000_000_000;

/**
 * How often credentials of one owner can be rotated by policies, and so the least that one policy can ask for: a rotation
 * in an outside store takes seconds, and linked credentials are rotated one after another.
 */
export const shortestTurnMs = 2 * secondMs;

/** The part of a store's limit of calls that policies may plan with: the rest is for those who ask. */
export const policiesShare = 0.5;

/** Any length of time: beyond that it is a mistake, and instants run out of years. */
export const longestDuration = 'P100Y';

/** What a token of Keyway's own lives at most, which is a year and its leap day; and where nothing is said. */
export const longestTokenDays = 366;
export const usualTokenDays = 90;

/**
 * The longest life of an issuer's token that is believed, in hours, where nothing else is set for the issuer, and at most:
 * a withdrawn one works until its end. A day, and an hour for issuers that date tokens back.
 */
export const usualJwtHours = 25;
export const longestJwtHours = 7 * 24;

/** How long an idempotency key answers again: clients try again within a day. */
export const idempotencyMs = dayMs;

// Calls to stores and issuers

/** How long a store may take to answer, and a call may wait for its place there before. */
export const slowestStoreMs = 5 * secondMs;
export const longestQueueMs = 5 * secondMs;

/**
 * How long a store may take to do what it was asked for, at most, though nobody waits for its answer any more: the
 * servers in front of it give up after a minute.
 */
export const slowestEffectMs = 2 * minuteMs;

/**
 * How long after that a look for what it may have made still takes what came in for that, where the store or Keyway was
 * away: later, it is more likely what somebody made by hand.
 */
export const latestLookMs = 10 * minuteMs;

/** What is read of a store's answer, and of a listing in one piece, which may have ten thousand credentials. */
export const largestAnswer = 1_024 * kibibyte;
export const largestListing = 8 * largestAnswer;

/**
 * A listing of a store, over all its turns: its parts, its credentials, and how long it is read. Ten of the largest in one
 * piece; and a store with as many users, each of which costs a call, is read within the time, where it allows 500 calls a
 * minute.
 */
export const longestListing = { parts: 10_000, entries: 100_000, readMs: 6 * 60 * minuteMs } as const;

/** Calls to one store at once, and those that wait: a store that hangs holds up no other. */
export const mostCalls = 8;
export const mostQueued = 64;

/**
 * Connections of one tenant that are tried at once, and that may fail in a time: each is a call to wherever its caller says,
 * and takes seconds where nobody answers. A person at a form, or a script that connects a hundred stores, fails less.
 */
export const mostTrials = { atOnce: 16, failures: 120, windowMs: minuteMs } as const;

/** Failures in a row after which a store is not called, and for how long: one that is down is not helped by calls. */
export const failuresToOpen = 5;
export const restMs = 10 * secondMs;

/** How long an issuer may take to tell its keys, and what is read of them. */
export const slowestIssuerMs = 3 * secondMs;
export const largestKeySet = 64 * kibibyte;

/** How long a provider of keys may take for one call, and with the call that is made again where that failed. */
export const slowestKeyProviderCallMs = 2 * secondMs;
export const slowestKeyProviderMs = 5 * secondMs;

/** How long the connection to any of them may take. */
export const slowestConnectMs = secondMs;

// The database

/** How long a statement may take, and wait for another's lock: it has a connection, which others wait for. */
export const slowestStatementMs = 10 * secondMs;
export const longestLockMs = 5 * secondMs;

/**
 * How long a request may wait for the database in all, before nothing more is begun for it: a lock that is had late was
 * not waited for in vain.
 */
export const longestDatabaseWaitMs = longestLockMs;
/** How long after that its caller waits for what is under way, other than a COMMIT. */
export const longestLateMs = secondMs;

/** Decisions that wait to be on record: beyond that the next one is refused, since none may go unrecorded. */
export const mostDecisions = 10_000;
