'use client';

import { type RefObject, useEffect, useLayoutEffect, useState } from 'react';

/** Width of an element in CSS pixels, followed; `fallback` only where nothing is laid out yet. */
export function useWidth(element: RefObject<HTMLElement | null>, fallback: number): number {
  const [width, setWidth] = useState(fallback);
  useLayoutEffect(() => {
    const target = element.current;
    if (target === null) return;
    if (target.clientWidth > 0) setWidth(target.clientWidth);
    const observer = new ResizeObserver(([entry]) => {
      const next = Math.floor(entry?.contentRect.width ?? fallback);
      if (next > 0) setWidth(next);
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, [element, fallback]);
  return width;
}

/** Colours of a canvas, read from the tokens in force and again when the theme changes. */
export function useTokens<K extends string>(
  host: RefObject<HTMLElement | null>,
  names: Readonly<Record<K, string>>,
): Record<K, string> | undefined {
  const [colors, setColors] = useState<Record<K, string>>();
  useEffect(() => {
    const read = () => {
      if (host.current !== null) setColors(readTokens(host.current, names));
    };
    read();
    const media = matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', read);
    const observer = new MutationObserver(read);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      media.removeEventListener('change', read);
      observer.disconnect();
    };
  }, [host, names]);
  return colors;
}

/** The 2D context of a canvas sized for the screen's pixels, scaled to CSS pixels. */
export function preparedContext(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | undefined {
  const ratio = window.devicePixelRatio || 1;
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  const isSized = canvas.width === wide && canvas.height === high;
  const context = canvas.getContext('2d');
  // Setting a size allocates the canvas anew, which costs more than a frame of it.
  if (isSized) context?.reset();
  else {
    canvas.width = wide;
    canvas.height = high;
  }
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context ?? undefined;
}

/**
 * Tokens as colours that a canvas takes. `light-dark()` is only resolved in a real colour property,
 * so each token is read through one.
 */
function readTokens<K extends string>(
  host: HTMLElement,
  names: Readonly<Record<K, string>>,
): Record<K, string> {
  const probe = document.createElement('span');
  probe.hidden = true;
  host.append(probe);
  const read = Object.fromEntries(
    Object.entries<string>(names).map(([key, token]) => {
      probe.style.color = `var(${token})`;
      return [key, getComputedStyle(probe).color];
    }),
  ) as Record<K, string>;
  probe.remove();
  return read;
}
