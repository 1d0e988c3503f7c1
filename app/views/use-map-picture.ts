'use client';

import { useMemo } from 'react';
import { cellMasses } from '../../lib/attention/cell-masses';
import type { MapBase, MapWindow } from '../../lib/attention/types';
import {
  baseLayer,
  layerTop,
  type MapExact,
  type MapLayer,
  subtractLayers,
  windowLayer,
} from '../../lib/views/map/layer';
import {
  baseProfiles,
  type MapProfiles,
  subtractProfiles,
  touchedCells,
  windowProfiles,
} from '../../lib/views/map/profiles';
import { coversView, sameRect, touchedRect, type Viewport } from '../../lib/views/map/viewport';
import type { MapData } from './use-map-data';

export interface MapPicture {
  /** Undefined until there is something to show. */
  readonly layer: MapLayer | undefined;
  readonly exact: MapExact | undefined;
  readonly top: number;
  readonly profiles: MapProfiles | undefined;
}

/**
 * What to paint of a map, or of the difference of two. Layers change with the values only, so that
 * panning paints none; profiles change with the cells in view.
 */
export function useMapPicture(
  first: MapData,
  second: MapData | undefined,
  aggregate: 'max' | 'mean',
  view: Viewport,
  hasProfiles: boolean,
  isSigned: readonly [first: boolean, second: boolean],
): MapPicture {
  const [isFirstSigned, isSecondSigned] = isSigned;
  const isDifference = second !== undefined;
  const [base, otherBase] = [first.base, second?.base];
  const [window, otherWindow] = [first.window, second?.window];
  const layer = useMemo(() => {
    if (base === undefined) return undefined;
    if (!isDifference) return baseLayer(base, aggregate, isFirstSigned);
    return otherBase === undefined
      ? undefined
      : subtractLayers(baseLayer(base, aggregate), baseLayer(otherBase, aggregate));
  }, [base, otherBase, isDifference, aggregate, isFirstSigned]);
  const exact = useMemo((): MapExact | undefined => {
    if (window === undefined) return undefined;
    if (!isDifference) return { rect: window, layer: windowLayer(window, isFirstSigned) };
    // The two arrive one after the other, maybe of different views.
    return otherWindow === undefined || !sameRect(window, otherWindow)
      ? undefined
      : { rect: window, layer: subtractLayers(windowLayer(window), windowLayer(otherWindow)) };
  }, [window, otherWindow, isDifference, isFirstSigned]);
  const top = useMemo(
    () => (layer === undefined ? 1 : layerTop(layer, aggregate, !isFirstSigned && !isSecondSigned)),
    [layer, aggregate, isFirstSigned, isSecondSigned],
  );
  const usesExact = exact !== undefined && coversView(exact.rect, view);
  const profile = useProfiles(
    base,
    usesExact ? window : undefined,
    view,
    hasProfiles,
    isFirstSigned,
  );
  const otherProfile = useProfiles(
    otherBase,
    usesExact ? otherWindow : undefined,
    view,
    hasProfiles && isDifference,
    isSecondSigned,
  );
  const profiles = useMemo(() => {
    if (profile === undefined || !isDifference) return profile;
    return otherProfile === undefined ? undefined : subtractProfiles(profile, otherProfile);
  }, [profile, otherProfile, isDifference]);
  return { layer, exact, top, profiles };
}

function useProfiles(
  base: MapBase | undefined,
  window: MapWindow | undefined,
  view: Viewport,
  isOn: boolean,
  isSigned: boolean,
): MapProfiles | undefined {
  const masses = useMemo(
    () => (isOn && base !== undefined ? cellMasses(base, isSigned) : undefined),
    [base, isOn, isSigned],
  );
  const range = base === undefined ? undefined : touchedCells(base, view);
  const queries = base?.queries ?? 0;
  const keys = base?.keys ?? 0;
  const { queryStart, queryEnd, keyStart, keyEnd } = touchedRect(view, queries, keys);
  const { rowStart = 0, rowEnd = 0, columnStart = 0, columnEnd = 0 } = range ?? {};
  return useMemo(() => {
    if (base === undefined || masses === undefined) return undefined;
    if (window !== undefined) {
      return windowProfiles(window, { queryStart, queryEnd, keyStart, keyEnd }, isSigned);
    }
    return baseProfiles(base, masses, { rowStart, rowEnd, columnStart, columnEnd }, isSigned);
  }, [
    base,
    masses,
    window,
    rowStart,
    rowEnd,
    columnStart,
    columnEnd,
    queryStart,
    queryEnd,
    keyStart,
    keyEnd,
    isSigned,
  ]);
}
