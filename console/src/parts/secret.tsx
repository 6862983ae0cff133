import { useEffect, useState } from 'react';
import { Button, Heading } from 'react-aria-components';
import type { IssuedFragment } from '../graph/documents.ts';
import { texts } from '../texts.ts';
import { Shown } from './confirm.tsx';
import { download } from './download.ts';
import { useLeaveGuard } from './leave-guard.ts';

/** How long a secret is shown. */
const shownMs = 60_000;

interface Props {
  title: string;
  name: string;
  issued: IssuedFragment;
  close: () => void;
}

/** Shows a secret once: to copy or to take along as a file, covered until asked for, and gone after a minute. */
export function SecretDialog({ title, name, issued, close }: Props) {
  const [isHidden, setHidden] = useState(false);
  const [isTaken, setTaken] = useState(false);
  const [isWarned, setWarned] = useState(false);
  // Where only the public part came, nothing can be lost.
  const isWithheld = issued.secret === null && (issued.keys ?? []).length === 0;
  const isAtRisk = !isTaken && !isHidden && !isWithheld;
  useLeaveGuard(isAtRisk);
  const leave = () => {
    if (!isAtRisk || isWarned) close();
    else setWarned(true);
  };
  useEffect(() => {
    const timer = setTimeout(() => setHidden(true), shownMs);
    return () => clearTimeout(timer);
  }, []);
  const values = [
    ...(issued.accessKey === null ? [] : [[texts.secret.accessKey, issued.accessKey] as const]),
    ...(issued.secret === null ? [] : [[texts.secret.secret, issued.secret] as const]),
    ...(issued.keys ?? []).map(({ name, value }) => [name, value] as const),
  ];
  return (
    <Shown close={leave}>
      <Heading slot="title">{title}</Heading>
      {isHidden ? (
        <p role="status">{texts.secret.hidden}</p>
      ) : (
        <>
          <p>{isWithheld ? texts.secret.withheld : texts.secret.once}</p>
          <dl className="secrets">
            {values.map(([label, value]) => (
              <Value
                key={label}
                label={label}
                value={value}
                isPublic={label === texts.secret.accessKey}
                taken={() => setTaken(true)}
              />
            ))}
          </dl>
        </>
      )}
      {isWarned && isAtRisk && (
        <p className="notice" role="alert">
          {texts.secret.untaken}
        </p>
      )}
      <div className="buttons">
        {!isHidden && !isWithheld && issued.dotenv !== null && (
          <Button
            onPress={() => {
              download(`${fileNameOf(name)}.env`, `${issued.dotenv}\n`);
              setTaken(true);
            }}
          >
            {texts.secret.download}
          </Button>
        )}
        <Button className="primary" onPress={leave}>
          {isWarned && isAtRisk ? texts.secret.closeUntaken : texts.close}
        </Button>
      </div>
    </Shown>
  );
}

interface ValueProps {
  label: string;
  value: string;
  isPublic: boolean;
  /** Called once somebody has it. */
  taken: () => void;
}

function Value({ label, value, isPublic, taken }: ValueProps) {
  const [isShown, setShown] = useState(isPublic);
  const [isCopied, setCopied] = useState(false);
  return (
    <div>
      <dt>{label}</dt>
      <dd>
        <code className="value">{isShown ? value : '•'.repeat(24)}</code>
        {!isPublic && (
          <Button
            onPress={() => {
              setShown(!isShown);
              taken();
            }}
            aria-label={`${isShown ? texts.secret.hide : texts.secret.show}: ${label}`}
          >
            {isShown ? texts.secret.hide : texts.secret.show}
          </Button>
        )}
        <Button
          aria-label={`${texts.copy}: ${label}`}
          onPress={() =>
            void copy(value).then((isCopied) => {
              setCopied(isCopied);
              if (isCopied && !isPublic) taken();
            })
          }
        >
          <span aria-live="polite">{isCopied ? texts.copied : texts.copy}</span>
        </Button>
      </dd>
    </div>
  );
}

const fileNameOf = (name: string) => name.replace(/[^\p{L}\p{N}._-]+/gu, '-') || 'credential';

/** @returns whether it could be copied: a page that came by plain HTTP from another machine may not. */
const copy = (text: string): Promise<boolean> =>
  isSecureContext
    ? navigator.clipboard.writeText(text).then(
        () => true,
        () => false,
      )
    : Promise.resolve(false);
