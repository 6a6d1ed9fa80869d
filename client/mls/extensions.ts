/** Extension types (RFC 9420 §17.3) that ts-mls has no name for. */

/** Of key packages: may be used for more than one Welcome when nothing else is left (MLS Extensions). */
export const LAST_RESORT = 0x000a

/** Of leaf nodes, from the private-use range: a person's word for their device; see endorsement.ts. */
export const ENDORSEMENT = 0xf1a0
