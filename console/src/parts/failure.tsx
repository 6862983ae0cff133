import { Component, type ReactNode } from 'react';
import { Button } from 'react-aria-components';
import { texts } from '../texts.ts';

/** Shows that a view has failed in the place of that view, and not an empty page. */
export class Failure extends Component<{ children: ReactNode }, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <div className="problem" role="alert">
        <strong>{texts.problems.title}</strong>
        <p>{texts.problems.view}</p>
        <Button onPress={() => this.setState({ hasFailed: false })}>{texts.retry}</Button>
      </div>
    );
  }
}
