import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface Props {
  readonly class: string;
  readonly labelledBy: string;
  /** Called once it is closed, by whatever means. */
  readonly close: () => void;
  readonly children: ComponentChildren;
}

/** A native modal dialog: it keeps the focus inside, Escape closes it, and the focus goes back to where it came from. */
export function Modal({ class: name, labelledBy, close, children }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    const before = document.activeElement;
    dialog?.showModal();
    return () => {
      // Taken away while open: the browser would leave the focus nowhere.
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  const closeOutside = (event: MouseEvent) => {
    if (event.target === ref.current) ref.current?.close();
  };
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape does the same, by the browser itself
    <dialog ref={ref} class={name} aria-labelledby={labelledBy} onClose={close} onClick={closeOutside}>
      {children}
    </dialog>
  );
}
