import { LAST_INSTANT, type TimeRange } from '../../time-range.ts';

/** As FilterLogEvents takes them. */
export function requestTimes(range: TimeRange): { readonly startTime?: number; readonly endTime?: number } {
  return {
    ...(range.start > 0 && { startTime: range.start }),
    ...(range.end <= LAST_INSTANT && { endTime: range.end }),
  };
}
