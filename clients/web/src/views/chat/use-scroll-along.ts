/** Keeps the end of a growing answer in sight. A reader who has scrolled up stays there. */
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

const NEAR_END_PX = 96;

export function useScrollAlong(content: unknown, isGrowing: boolean): void {
  const isAtEnd = useRef(true);
  useEffect(() => {
    const note = () => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
      isAtEnd.current = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    };
    addEventListener('scroll', note, { passive: true });
    return () => removeEventListener('scroll', note);
  }, []);
  useLayoutEffect(() => {
    if (!isGrowing || !isAtEnd.current) return;
    const { documentElement } = document;
    documentElement.scrollTop = documentElement.scrollHeight;
  }, [content, isGrowing]);
}
