import { randomInt } from 'node:crypto'

/** The time give or take a quarter, by chance: so that what failed together does not come back together. */
export function spread(milliseconds: number): number {
  return Math.round(milliseconds * (0.75 + randomInt(1000) / 2000))
}
