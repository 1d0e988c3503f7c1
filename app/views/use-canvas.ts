'use client';

import { type RefObject, useEffect, useState } from 'react';

/** Width of an element in CSS pixels, followed. */
export function useWidth(element: RefObject<HTMLElement | null>, fallback: number): number {
  const [width, setWidth] = useState(fallback);
  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const observer = new ResizeObserver(([entry]) => {
      const next = Math.floor(entry?.contentRect.width ?? fallback);
      if (next > 0) setWidth(next);
    });
    observer.observe(target);
    return () => observer.disconnect();
  }, [element, fallback]);
  return width;
}

/** A number that changes when the theme does: canvases must be drawn again then. */
export function useThemeVersion(): number {
  const [version, setVersion] = useState(0);
  useEffect(() => {
    const changed = () => setVersion((n) => n + 1);
    const media = matchMedia('(prefers-color-scheme: dark)');
    media.addEventListener('change', changed);
    const observer = new MutationObserver(changed);
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      media.removeEventListener('change', changed);
      observer.disconnect();
    };
  }, []);
  return version;
}

/** The 2D context of a canvas sized for the screen's pixels, scaled to CSS pixels. */
export function preparedContext(
  canvas: HTMLCanvasElement,
  width: number,
  height: number,
): CanvasRenderingContext2D | undefined {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context ?? undefined;
}

/**
 * Tokens as colours that a canvas takes. `light-dark()` is only resolved in a real colour property,
 * so each token is read through one.
 */
export function readTokens<K extends string>(
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
