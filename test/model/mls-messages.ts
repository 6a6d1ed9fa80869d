import fc from 'fast-check'
import { encodeMlsMessage, type MLSMessage } from 'ts-mls'
import { encodeRatchetTree } from 'ts-mls/ratchetTree.js'

// Messages of every kind with arbitrary contents: well-formed, and mostly meaningless.

/** Lengths that take 1, 2 and 4 bytes, including the boundaries between the forms. */
const bytes = fc.oneof(
  { weight: 30, arbitrary: fc.uint8Array({ maxLength: 40 }) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(0, 63, 64, 65, 300).map((length) => new Uint8Array(length)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(16_383, 16_384, 20_000).map((length) => new Uint8Array(length)),
  },
)
const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 3 })
const uint64 = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const number = fc.oneof(uint64, fc.bigInt({ min: 0n, max: 10_000n }))
const uint32 = fc.nat({ max: 2 ** 32 - 1 })
const uint16 = fc.nat({ max: 2 ** 16 - 1 })
const suite = fc.constantFrom(
  'MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519',
  'MLS_128_DHKEMP256_AES128GCM_SHA256_P256',
  'MLS_256_XWING_AES256GCM_SHA512_Ed25519',
  'MLS_256_DHKEMP521_AES256GCM_SHA512_P521',
  '4660',
)
const version = fc.constant('mls10')
const extension = fc.record({
  extensionType: fc.oneof(
    fc.constantFrom('application_id', 'required_capabilities', 'external_pub', 'external_senders'),
    uint16.filter((type) => type === 0 || type > 5),
  ),
  extensionData: bytes,
})
const basic = fc.record({ credentialType: fc.constant('basic'), identity: bytes })
const credential = fc.oneof(
  { weight: 12, arbitrary: basic },
  {
    weight: 3,
    arbitrary: fc.record({ credentialType: fc.constant('x509'), certificates: few(bytes) }),
  },
  { weight: 1, arbitrary: fc.record({ credentialType: fc.constant('4660'), data: bytes }) },
)
const capabilities = fc.record({
  versions: few(version),
  ciphersuites: few(suite),
  extensions: few(uint16),
  proposals: few(uint16),
  credentials: few(fc.constantFrom('basic', 'x509', '4660')),
})
const leafOf = (source: fc.Arbitrary<string>) =>
  fc.record({
    ...{ leafNodeSource: source, hpkePublicKey: bytes, signaturePublicKey: bytes },
    ...{ credential, capabilities, extensions: few(extension), signature: bytes },
    ...{ lifetime: fc.record({ notBefore: number, notAfter: number }), parentHash: bytes },
  })
/** Usually the leaf source that fits the place, now and then another. */
const leafFor = (source: string) =>
  leafOf(
    fc.oneof(
      { weight: 30, arbitrary: fc.constant(source) },
      { weight: 1, arbitrary: fc.constantFrom('key_package', 'update', 'commit') },
    ),
  )
const keyPackage = fc.record({
  ...{ version, cipherSuite: suite, initKey: bytes, leafNode: leafFor('key_package') },
  ...{ extensions: few(extension), signature: bytes },
})
const ciphertext = fc.record({ kemOutput: bytes, ciphertext: bytes })
const path = fc.record({
  leafNode: leafFor('commit'),
  nodes: few(fc.record({ hpkePublicKey: bytes, encryptedPathSecret: few(ciphertext) })),
})
const psk = fc.oneof(
  fc.record({ psktype: fc.constant('external'), pskId: bytes, pskNonce: bytes }),
  fc.record({
    ...{ psktype: fc.constant('resumption'), pskGroupId: bytes, pskEpoch: uint64 },
    ...{ usage: fc.constantFrom('application', 'reinit', 'branch'), pskNonce: bytes },
  }),
)
const proposalOf = (proposalType: string, name: string, content: fc.Arbitrary<unknown>) =>
  fc.record({ proposalType: fc.constant(proposalType), [name]: content })
const known = fc.oneof(
  proposalOf('add', 'add', fc.record({ keyPackage })),
  proposalOf('remove', 'remove', fc.record({ removed: uint32 })),
  proposalOf('psk', 'psk', fc.record({ preSharedKeyId: psk })),
  proposalOf('external_init', 'externalInit', fc.record({ kemOutput: bytes })),
  proposalOf(
    ...(['group_context_extensions', 'groupContextExtensions'] as const),
    fc.record({ extensions: few(extension) }),
  ),
)
const refused = fc.oneof(
  proposalOf('update', 'update', fc.record({ leafNode: leafFor('update') })),
  proposalOf(
    ...(['reinit', 'reinit'] as const),
    fc.record({ groupId: bytes, version, cipherSuite: suite, extensions: few(extension) }),
  ),
  // Also a known type with contents of another.
  fc.record({ proposalType: uint16, proposalData: bytes }),
)
const proposal = fc.oneof({ weight: 20, arbitrary: known }, { weight: 1, arbitrary: refused })
const proposalOrRef = fc.oneof(
  fc.record({ proposalOrRefType: fc.constant('proposal'), proposal }),
  fc.record({ proposalOrRefType: fc.constant('reference'), reference: bytes }),
)
const sender = fc.oneof(
  fc.record({ senderType: fc.constant('member'), leafIndex: uint32 }),
  fc.record({ senderType: fc.constant('external'), senderIndex: uint32 }),
  fc.record({ senderType: fc.constantFrom('new_member_proposal', 'new_member_commit') }),
)
const content = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      contentType: fc.constant('commit'),
      commit: fc.record({
        proposals: few(proposalOrRef),
        path: fc.option(path, { nil: undefined }),
      }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ contentType: fc.constant('proposal'), proposal }) },
  {
    weight: 1,
    arbitrary: fc.record({ contentType: fc.constant('application'), applicationData: bytes }),
  },
)
const publicMessage = fc
  .record({
    ...{ head: fc.record({ groupId: bytes, epoch: number, sender, authenticatedData: bytes }) },
    ...{ content, signature: bytes, confirmationTag: bytes, membershipTag: bytes },
  })
  .map(({ head, content, signature, confirmationTag, membershipTag }) => ({
    content: { ...head, ...content },
    auth: { contentType: content.contentType, signature, confirmationTag },
    ...{ senderType: head.sender.senderType, membershipTag },
  }))
const privateMessage = fc.record({
  ...{ groupId: bytes, epoch: number, authenticatedData: bytes },
  ...{ contentType: fc.constantFrom('application', 'proposal', 'commit') },
  ...{ encryptedSenderData: bytes, ciphertext: bytes },
})
const welcome = fc.record({
  cipherSuite: suite,
  secrets: few(fc.record({ newMember: bytes, encryptedGroupSecrets: ciphertext })),
  encryptedGroupInfo: bytes,
})
const leafNode = fc
  .constantFrom('key_package', 'update', 'commit')
  .chain((source) => leafOf(fc.constant(source)))
  .map((leaf) => ({ nodeType: 'leaf', leaf }))
const parentNode = fc
  .record({ hpkePublicKey: bytes, parentHash: bytes, unmergedLeaves: few(uint32) })
  .map((parent) => ({ nodeType: 'parent', parent }))
const blank = fc.constant(undefined)
const tree = fc
  .array(
    fc.tuple(
      fc.oneof({ weight: 4, arbitrary: leafNode }, { weight: 1, arbitrary: blank }),
      // Usually a parent node, as between two leaves.
      fc.oneof(
        { weight: 20, arbitrary: parentNode },
        { weight: 10, arbitrary: blank },
        { weight: 1, arbitrary: leafNode },
      ),
    ),
    { maxLength: 5 },
  )
  .map((pairs) => ({
    extensionType: 'ratchet_tree',
    extensionData: encodeRatchetTree(pairs.flat() as Parameters<typeof encodeRatchetTree>[0]),
  }))
const groupInfo = fc
  .record({
    groupContext: fc.record({
      ...{ version, cipherSuite: suite, groupId: bytes, epoch: number, treeHash: bytes },
      ...{ confirmedTranscriptHash: bytes, extensions: few(extension) },
    }),
    ...{ extensions: few(extension), trees: fc.array(tree, { maxLength: 2 }) },
    ...{ confirmationTag: bytes, signer: uint32, signature: bytes },
  })
  .map(({ extensions, trees, ...rest }) => ({ ...rest, extensions: [...extensions, ...trees] }))

const messageOf = (wireformat: string, name: string, content: fc.Arbitrary<unknown>) =>
  fc.record({ version, wireformat: fc.constant(wireformat), [name]: content })

/** Encoded by ts-mls. */
export const anyMessage: fc.Arbitrary<Buffer> = fc
  .oneof(
    { weight: 4, arbitrary: messageOf('mls_public_message', 'publicMessage', publicMessage) },
    { weight: 1, arbitrary: messageOf('mls_private_message', 'privateMessage', privateMessage) },
    { weight: 1, arbitrary: messageOf('mls_welcome', 'welcome', welcome) },
    { weight: 3, arbitrary: messageOf('mls_group_info', 'groupInfo', groupInfo) },
    { weight: 2, arbitrary: messageOf('mls_key_package', 'keyPackage', keyPackage) },
  )
  .map((message) => Buffer.from(encodeMlsMessage(message as unknown as MLSMessage)))
