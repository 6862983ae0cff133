import { useState } from 'react';
import { Button } from 'react-aria-components';
import { texts } from '../texts.ts';
import type { SignInAt } from './sign-ins.ts';

interface Props {
  at: SignInAt;
  failed: (why: string) => void;
}

/** Leads to an issuer, and back to the view that is open. */
export function SignInAtIssuer({ at, failed }: Props) {
  const [isLeaving, setLeaving] = useState(false);
  const leave = async () => {
    setLeaving(true);
    const { leaveFor } = await import('./openid.ts');
    await leaveFor(at).catch(() => {
      setLeaving(false);
      failed(texts.signIn.unreachable(at.name));
    });
  };
  return (
    <Button className="primary" isDisabled={isLeaving} onPress={() => void leave()}>
      {texts.signIn.at(at.name)}
    </Button>
  );
}
