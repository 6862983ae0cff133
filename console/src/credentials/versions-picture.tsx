import type { CredentialFactsFragment } from '../graph/documents.ts';
import { Time } from '../parts/time.tsx';
import { texts } from '../texts.ts';

type Version = CredentialFactsFragment['versions'][number];

const width = 600;
const rowHeight = 28;

/**
 * Where a credential's secrets lie in time: a bar for each, from when it was made to when it ended, with its last use on it.
 * So it shows at a glance whether the previous one is still used. The list below says the same in words.
 */
export function VersionsPicture({
  versions,
  createdAt,
}: {
  versions: readonly Version[];
  createdAt: string;
}) {
  const now = Date.now();
  const times = versions.flatMap(({ createdAt, validUntil }) =>
    [createdAt, validUntil].filter(isTime).map(msOf),
  );
  const from = Math.min(msOf(createdAt), ...times);
  const until = Math.max(now, ...times);
  const xOf = (ms: number) => ((ms - from) / Math.max(until - from, 1)) * width;
  const endOf = (version: Version, at: number) => {
    if (version.validUntil !== null) return msOf(version.validUntil);
    const next = versions[at - 1];
    return version.state === 'CURRENT' || !next ? now : msOf(next.createdAt);
  };
  return (
    <figure>
      <figcaption className="hint">{texts.credential.versionsHelp}</figcaption>
      <svg
        className="versions"
        viewBox={`-4 0 ${width + 8} ${versions.length * rowHeight + 4}`}
        preserveAspectRatio="none"
        aria-hidden="true"
      >
        <line x1={xOf(now)} x2={xOf(now)} y1="0" y2={versions.length * rowHeight} className="now" />
        {versions.map((version, at) => {
          const start = xOf(msOf(version.createdAt));
          const end = Math.max(xOf(endOf(version, at)), start + 3);
          return (
            <g key={version.number}>
              <rect
                x={start}
                width={end - start}
                y={at * rowHeight + 6}
                height={rowHeight - 12}
                rx="3"
                className={version.state.toLowerCase()}
              />
              {version.lastUsedAt !== null && (
                <circle
                  cx={xOf(msOf(version.lastUsedAt))}
                  cy={at * rowHeight + rowHeight / 2}
                  r="5"
                  className="use"
                />
              )}
            </g>
          );
        })}
      </svg>
      <ol className="plain" reversed>
        {versions.map((version) => (
          <li key={version.number}>
            <strong>{texts.credential.version(version.number)}</strong> {texts.versionState[version.state]} ·{' '}
            {texts.credential.lastUse} <Time at={version.lastUsedAt} />
            {version.validUntil !== null && (
              <>
                {' '}
                · {texts.credential.validUntil} <Time at={version.validUntil} exact />
              </>
            )}
          </li>
        ))}
      </ol>
    </figure>
  );
}

const msOf = (time: string) => new Date(time).getTime();
const isTime = (time: string | null): time is string => time !== null;
