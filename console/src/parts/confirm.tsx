import type { FormEvent, ReactNode } from 'react';
import { Button, Dialog, Form, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { texts } from '../texts.ts';
import type { Faults } from './form/faults.ts';

interface Props {
  title: string;
  action: string;
  /** Whether what it does cannot be undone. */
  isFinal?: boolean;
  isWorking: boolean;
  isReady?: boolean;
  /** Does it, with what was filled in. */
  submit: (form: FormData) => void;
  close: () => void;
  /** What was wrong with what was filled in. */
  faults?: Faults;
  children: ReactNode;
}

/** A dialog that says what will happen, asks what is needed for it, and does it. */
export function Confirm({
  title,
  action,
  isFinal,
  isWorking,
  isReady = true,
  submit,
  close,
  faults,
  children,
}: Props) {
  const onSubmit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    submit(new FormData(event.currentTarget));
  };
  return (
    <Shown close={close} isKeyboardDismissDisabled={isWorking}>
      <Heading slot="title">{title}</Heading>
      <Form validationErrors={faults} onSubmit={onSubmit}>
        {children}
        <div className="buttons">
          <Button onPress={close} isDisabled={isWorking}>
            {texts.cancel}
          </Button>
          <Button type="submit" className={isFinal ? 'danger' : 'primary'} isDisabled={isWorking || !isReady}>
            {isWorking ? texts.actions.working : action}
          </Button>
        </div>
      </Form>
    </Shown>
  );
}

interface ShownProps {
  close: () => void;
  isKeyboardDismissDisabled?: boolean;
  children: ReactNode;
}

/** A dialog over the page, which is closed by its buttons or Escape, not by a click beside it. */
export function Shown({ close, isKeyboardDismissDisabled, children }: ShownProps) {
  return (
    <ModalOverlay
      className="overlay"
      isOpen
      isKeyboardDismissDisabled={isKeyboardDismissDisabled}
      onOpenChange={(isOpen) => {
        if (!isOpen) close();
      }}
    >
      <Modal className="modal">
        <Dialog className="dialog">{children}</Dialog>
      </Modal>
    </ModalOverlay>
  );
}
