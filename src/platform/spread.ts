import { randomInt } from 'node:crypto'

/** Adds random jitter of up to a quarter either way, so that what failed together does not retry together. */
export function spread(milliseconds: number): number {
  return Math.round(milliseconds * (0.75 + randomInt(1000) / 2000))
}
