import { defineErrors } from '../../platform/errors.ts'

/** The codes are the error names of the lexicons. */
export const mlsErrors = defineErrors({
  convoNotFound: {
    code: 'ConvoNotFound',
    kind: 'not_found',
    message: 'There is no such conversation.',
  },
  notMember: {
    code: 'NotMember',
    kind: 'forbidden',
    message: 'You are not a member of this conversation.',
  },
  notAdmin: {
    code: 'NotAdmin',
    kind: 'forbidden',
    message: 'Only an admin of the conversation may do this.',
  },
  notReachable: {
    code: 'NotReachable',
    kind: 'forbidden',
    message: 'Someone cannot be added: no such account, no key package for you, or opted out.',
  },
  epochMismatch: {
    code: 'EpochMismatch',
    kind: 'conflict',
    message: 'The conversation is in another epoch: catch up from sinceSeq and try again.',
  },
  idempotencyConflict: {
    code: 'IdempotencyConflict',
    kind: 'conflict',
    message: 'The idempotency key was used for another request.',
  },
  invalidCommit: {
    code: 'InvalidCommit',
    kind: 'invalid',
    message: 'This is not a commit of this conversation as a PublicMessage.',
  },
  invalidProposal: {
    code: 'InvalidProposal',
    kind: 'invalid',
    message: 'This is not a Remove proposal of your own leaves in the current epoch.',
  },
  invalidGroupInfo: {
    code: 'InvalidGroupInfo',
    kind: 'invalid',
    message: 'This is not a GroupInfo of this conversation with its tree and external key.',
  },
  invalidWelcome: {
    code: 'InvalidWelcome',
    kind: 'invalid',
    message: 'The Welcome does not match the devices being added.',
  },
  invalidMessage: {
    code: 'InvalidMessage',
    kind: 'invalid',
    message: 'This is not an application message of this conversation as a PrivateMessage.',
  },
  invalidPadding: {
    code: 'InvalidPadding',
    kind: 'invalid',
    message: 'The message is not padded to an allowed size, or to the one it names.',
  },
  messageTooLarge: {
    code: 'MessageTooLarge',
    kind: 'too_large',
    message: 'The message is larger than 10 MiB.',
  },
  invalidCipherSuite: {
    code: 'InvalidCipherSuite',
    kind: 'invalid',
    message: 'The cipher suite is unknown, or does not match the package.',
  },
  invalidKeyPackage: {
    code: 'InvalidKeyPackage',
    kind: 'invalid',
    message: 'This is not a valid key package of your DID.',
  },
  expirationTooFar: {
    code: 'ExpirationTooFar',
    kind: 'invalid',
    message: 'A key package is valid for 90 days at most.',
  },
  tooManyKeyPackages: {
    code: 'TooManyKeyPackages',
    kind: 'rate_limited',
    message: 'The device already has 100 unused key packages.',
  },
  tooManyDevices: {
    code: 'TooManyDevices',
    kind: 'rate_limited',
    message: 'The account already has 20 devices.',
  },
  deviceNotFound: {
    code: 'DeviceNotFound',
    kind: 'not_found',
    message: 'You have no such device.',
  },
  keyPackageNotFound: {
    code: 'KeyPackageNotFound',
    kind: 'conflict',
    message: 'A key package is unknown, used, outdated, or not meant for you.',
  },
  tooManyDids: { code: 'TooManyDids', kind: 'invalid', message: 'At most 100 people at a time.' },
  tooManyMembers: {
    code: 'TooManyMembers',
    kind: 'invalid',
    message: 'The conversation would have more members than its policy allows.',
  },
  alreadyMember: {
    code: 'AlreadyMember',
    kind: 'conflict',
    message: 'A device to be added is already in the group.',
  },
  mutualBlock: {
    code: 'MutualBlockDetected',
    kind: 'forbidden',
    message: 'Two of the people have blocked each other.',
  },
  blockedByMember: {
    code: 'BlockedByMember',
    kind: 'forbidden',
    message: 'A person to be added and a member have blocked each other.',
  },
  convoExists: { code: 'ConvoExists', kind: 'conflict', message: 'The group id is taken.' },
  targetNotMember: {
    code: 'TargetNotMember',
    kind: 'invalid',
    message: 'That person is not a member.',
  },
  cannotRemoveSelf: {
    code: 'CannotRemoveSelf',
    kind: 'invalid',
    message: 'To leave, use leaveConvo instead.',
  },
  cannotReportSelf: {
    code: 'CannotReportSelf',
    kind: 'invalid',
    message: 'You cannot report yourself.',
  },
  lastMember: { code: 'LastMember', kind: 'conflict', message: 'The last member cannot leave.' },
  lastAdmin: {
    code: 'LastAdmin',
    kind: 'conflict',
    message: 'The last admin has to appoint another first.',
  },
  alreadyAdmin: {
    code: 'AlreadyAdmin',
    kind: 'conflict',
    message: 'That person is already an admin.',
  },
  notAdminTarget: {
    code: 'NotAdminTarget',
    kind: 'conflict',
    message: 'That person is not an admin.',
  },
  invalidCursor: {
    code: 'InvalidCursor',
    kind: 'invalid',
    message: 'This cursor is not from this server.',
  },
  cursorExpired: {
    code: 'CursorExpired',
    kind: 'gone',
    message: 'What follows was compacted: resync from the GroupInfo.',
  },
  invalidEpochRange: {
    code: 'InvalidEpochRange',
    kind: 'invalid',
    message: 'The epoch range ends before it begins.',
  },
  welcomeNotFound: {
    code: 'WelcomeNotFound',
    kind: 'not_found',
    message: 'No Welcome is waiting.',
  },
  ambiguousWelcome: {
    code: 'AmbiguousWelcome',
    kind: 'invalid',
    message: 'Several Welcomes are waiting: name the device or key package.',
  },
  groupInfoUnavailable: {
    code: 'GroupInfoUnavailable',
    kind: 'not_found',
    message: 'No member stored a GroupInfo for the current epoch.',
  },
  invalidPsk: {
    code: 'InvalidPsk',
    kind: 'forbidden',
    message: 'You have no invitation to this conversation with this secret.',
  },
  policyViolation: {
    code: 'PolicyViolation',
    kind: 'forbidden',
    message: 'The conversation’s policy does not allow this.',
  },
  inviteExists: {
    code: 'InviteExists',
    kind: 'conflict',
    message: 'An invitation with this secret already exists.',
  },
  inviteNotFound: {
    code: 'InviteNotFound',
    kind: 'not_found',
    message: 'There is no such invitation.',
  },
  invalidExpiry: {
    code: 'InvalidExpiry',
    kind: 'invalid',
    message: 'The expiry is not in the future.',
  },
  reportNotFound: {
    code: 'ReportNotFound',
    kind: 'not_found',
    message: 'There is no such report.',
  },
  alreadyResolved: {
    code: 'AlreadyResolved',
    kind: 'conflict',
    message: 'The report is already resolved.',
  },
  blobTooLarge: { code: 'BlobTooLarge', kind: 'too_large', message: 'The file is too large.' },
  quotaExceeded: {
    code: 'QuotaExceeded',
    kind: 'too_large',
    message: 'There is no space left for this file.',
  },
  blobMismatch: {
    code: 'BlobMismatch',
    kind: 'invalid',
    message: 'The bytes do not match what was announced.',
  },
  invalidBlob: {
    code: 'InvalidBlob',
    kind: 'invalid',
    message: 'The file is empty or was cut off.',
  },
  blobNotFound: { code: 'BlobNotFound', kind: 'not_found', message: 'There is no such file.' },
  invalidTicket: {
    code: 'InvalidTicket',
    kind: 'unauthenticated',
    message: 'The ticket was used or is outdated.',
  },
  membershipEnded: {
    code: 'MembershipEnded',
    kind: 'forbidden',
    message: 'You are no longer a member of this conversation.',
  },
  futureCursor: {
    code: 'FutureCursor',
    kind: 'invalid',
    message: 'This cursor is not from this server.',
  },
  friendNotFound: {
    code: 'FriendNotFound',
    kind: 'not_found',
    message: 'Nobody has this friend key.',
  },
  notAdmitted: {
    code: 'NotAdmitted',
    kind: 'forbidden',
    message: 'This identity has no account here: use an invitation.',
  },
})
