/** Extension types (RFC 9420 §17.3) that ts-mls has no name for. */

/** On key packages: may be used for several Welcomes if no other package is left (MLS Extensions). */
export const LAST_RESORT = 0x000a

/** On leaf nodes: the person's endorsement of the device (endorsement.ts); from the private-use range. */
export const ENDORSEMENT = 0xf1a0
