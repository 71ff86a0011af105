import { Component, type ComponentChild, type ComponentClass, type FunctionComponent, h } from 'preact';

/**
 * A component that is drawn again only when one of its properties is another value. The picture keeps what did not change as the
 * same object, so of a hundred rows only the new one is drawn.
 */
export function onlyWhenChanged<Props extends object>(draw: FunctionComponent<Props>): ComponentClass<Props> {
  return class extends Component<Props> {
    override shouldComponentUpdate(next: Readonly<Props>): boolean {
      const before = new Map(Object.entries(this.props));
      const after = Object.entries(next);
      return before.size !== after.length || after.some(([name, value]) => before.get(name) !== value);
    }

    override render(): ComponentChild {
      return h(draw, this.props);
    }
  };
}
