// Decodes leaves, key packages and trees of RFC 9420 (§5.3, §7, §10, §12.4.3.3), as far as the server needs
// them. The rest is skipped but must be well-formed: bytes that some members accept and others refuse would
// split a group.
import { MalformedError, readWhole, type TlsReader } from './tls-reader.ts'

export const MLS_10 = 1
const BASIC = 1
const X509 = 2
const LEAF = 1
const PARENT = 2
const RATCHET_TREE = 2

/** Default extensions, which every client supports without listing them (§7.2). */
const DEFAULT_EXTENSIONS: ReadonlySet<number> = new Set([1, 2, 3, 4, 5])

/** LeafNodeSource (§7.2). */
export const leafSources = { keyPackage: 1, update: 2, commit: 3 } as const

/** Bytes and a signature over them. */
export interface Signed {
  readonly content: Buffer
  readonly signature: Buffer
}

/** The part of a leaf's capabilities (§7.2) that the server checks; `versions` is their number. */
export interface Capabilities {
  readonly versions: number
  readonly cipherSuites: readonly number[]
  readonly extensions: readonly number[]
  readonly credentials: readonly number[]
}

export interface WireLeaf extends Signed {
  readonly source: number
  /** Undefined if the credential is not a BasicCredential. */
  readonly identity: Buffer | undefined
  readonly signatureKey: Buffer
  readonly capabilities: Capabilities
  readonly extensionTypes: readonly number[]
  /** In seconds since 1970; only in a key package's leaf. */
  readonly lifetime: { readonly notBefore: number; readonly notAfter: number } | undefined
}

export interface WireKeyPackage extends Signed {
  readonly cipherSuite: number
  readonly leaf: WireLeaf
  readonly extensionTypes: readonly number[]
  /** The complete encoding. */
  readonly bytes: Buffer
}

export interface WireExtension {
  readonly type: number
  readonly data: Buffer
}

export function readExtensions(reader: TlsReader): WireExtension[] {
  return reader.items(() => ({ type: reader.uint16(), data: reader.vector() }))
}

export function skipExtensions(reader: TlsReader): void {
  reader.items(() => {
    reader.uint16()
    reader.skipVector()
  })
}

export function readVersion(reader: TlsReader): void {
  reader.oneOf(reader.uint16(), [MLS_10])
}

export function readLeafNode(reader: TlsReader): WireLeaf {
  const start = reader.position
  // The encryption key.
  reader.skipVector()
  const signatureKey = reader.vector()
  const identity = readCredential(reader)
  const capabilities = readCapabilities(reader)
  const { keyPackage, update, commit } = leafSources
  const source = reader.oneOf(reader.uint8(), [keyPackage, update, commit])
  const lifetime =
    source === keyPackage ? { notBefore: reader.uint64(), notAfter: reader.uint64() } : undefined
  // The parent hash.
  if (source === commit) reader.skipVector()
  const extensionTypes = readExtensions(reader).map(({ type }) => type)
  const content = reader.since(start)
  return {
    ...{ source, identity, signatureKey, capabilities, extensionTypes, lifetime },
    ...{ content, signature: reader.vector() },
  }
}

/**
 * Whether a leaf's capabilities cover what the leaf itself uses (§7.3). Members refuse a leaf that fails
 * this, which would leave its group stuck.
 */
export function supportsItself(
  { capabilities, extensionTypes }: WireLeaf,
  cipherSuite: number,
): boolean {
  const { versions, cipherSuites, extensions, credentials } = capabilities
  const isSupported = (type: number) => DEFAULT_EXTENSIONS.has(type) || extensions.includes(type)
  return (
    versions > 0 &&
    cipherSuites.includes(cipherSuite) &&
    credentials.includes(BASIC) &&
    extensionTypes.every(isSupported)
  )
}

/** The identity of a BasicCredential (§5.3). Unknown types are refused: their encoding is unknown too. */
function readCredential(reader: TlsReader): Buffer | undefined {
  if (reader.oneOf(reader.uint16(), [BASIC, X509]) === BASIC) return reader.vector()
  reader.items(() => reader.skipVector())
  return undefined
}

function readCapabilities(reader: TlsReader): Capabilities {
  const types = () => reader.items(() => reader.uint16())
  const versions = reader.items(() => readVersion(reader)).length
  const cipherSuites = types()
  const extensions = types()
  // Proposals.
  types()
  return { versions, cipherSuites, extensions, credentials: types() }
}

export function readKeyPackage(reader: TlsReader): WireKeyPackage {
  const start = reader.position
  readVersion(reader)
  const cipherSuite = reader.uint16()
  // The init key.
  reader.skipVector()
  const leaf = readLeafNode(reader)
  if (leaf.source !== leafSources.keyPackage) throw new MalformedError('not the leaf of a package')
  const extensionTypes = readExtensions(reader).map(({ type }) => type)
  const content = reader.since(start)
  const signature = reader.vector()
  return { cipherSuite, leaf, extensionTypes, content, signature, bytes: reader.since(start) }
}

/** The leaves, by index, of the ratchet tree in a GroupInfo's extensions; undefined if there is none. */
export function findLeaves(
  extensions: readonly WireExtension[],
): ReadonlyMap<number, WireLeaf> | undefined {
  const trees = extensions.filter(({ type }) => type === RATCHET_TREE)
  // With two trees, different readers might use different ones.
  if (trees.length > 1) throw new MalformedError('two trees')
  const [tree] = trees
  if (!tree) return undefined
  const leaves = readWhole(tree.data, readTree)
  if (!leaves) throw new MalformedError('the tree is malformed')
  return leaves
}

/** A tree in array form: leaves are at even indices (appendix C), and the last node must not be blank. */
function readTree(reader: TlsReader): Map<number, WireLeaf> {
  const leaves = new Map<number, WireLeaf>()
  let place = 0
  let isBlank = true
  reader.items(() => {
    const isLeaf = place % 2 === 0
    isBlank = true
    reader.optional(() => {
      isBlank = false
      reader.oneOf(reader.uint8(), [isLeaf ? LEAF : PARENT])
      if (isLeaf) leaves.set(place / 2, readLeafNode(reader))
      else skipParent(reader)
    })
    place += 1
  })
  if (isBlank) throw new MalformedError('the tree ends in a blank node')
  return leaves
}

/** A parent node: the encryption key, the parent hash and the unmerged leaves. */
function skipParent(reader: TlsReader): void {
  reader.skipVector()
  reader.skipVector()
  reader.items(() => reader.uint32())
}
