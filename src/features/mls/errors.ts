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
    message: 'You are no member of this conversation.',
  },
  notAdmin: {
    code: 'NotAdmin',
    kind: 'forbidden',
    message: 'Only an admin of the conversation may do this.',
  },
  notReachable: {
    code: 'NotReachable',
    kind: 'forbidden',
    message:
      'Somebody cannot be added: no such account, no key package of theirs for you, or opted out.',
  },
  epochMismatch: {
    code: 'EpochMismatch',
    kind: 'conflict',
    message: 'The conversation is in another epoch: catch up from sinceSeq and try again.',
  },
  idempotencyConflict: {
    code: 'IdempotencyConflict',
    kind: 'conflict',
    message: 'The idempotency key was used with another request.',
  },
  invalidCommit: {
    code: 'InvalidCommit',
    kind: 'invalid',
    message: 'This is no commit of this conversation in the form of a PublicMessage.',
  },
  invalidProposal: {
    code: 'InvalidProposal',
    kind: 'invalid',
    message: 'This is no Remove proposal of your own leaves in the current epoch.',
  },
  invalidGroupInfo: {
    code: 'InvalidGroupInfo',
    kind: 'invalid',
    message: 'This is no GroupInfo of this conversation with its tree and external key.',
  },
  invalidWelcome: {
    code: 'InvalidWelcome',
    kind: 'invalid',
    message: 'The Welcome is not for exactly the devices that are added.',
  },
  invalidMessage: {
    code: 'InvalidMessage',
    kind: 'invalid',
    message: 'This is no application message of this conversation in the form of a PrivateMessage.',
  },
  invalidPadding: {
    code: 'InvalidPadding',
    kind: 'invalid',
    message: 'The message is not padded to a size of the list, or not to the one it names.',
  },
  messageTooLarge: {
    code: 'MessageTooLarge',
    kind: 'too_large',
    message: 'The message is larger than 10 MiB.',
  },
  invalidCipherSuite: {
    code: 'InvalidCipherSuite',
    kind: 'invalid',
    message: 'The cipher suite is unknown here, or not the one of the package.',
  },
  invalidKeyPackage: {
    code: 'InvalidKeyPackage',
    kind: 'invalid',
    message: 'This is no valid key package of your DID.',
  },
  expirationTooFar: {
    code: 'ExpirationTooFar',
    kind: 'invalid',
    message: 'A key package lives 90 days at most.',
  },
  tooManyKeyPackages: {
    code: 'TooManyKeyPackages',
    kind: 'rate_limited',
    message: 'The device has 100 unused key packages.',
  },
  tooManyDevices: {
    code: 'TooManyDevices',
    kind: 'rate_limited',
    message: 'The account has 20 devices.',
  },
  deviceNotFound: {
    code: 'DeviceNotFound',
    kind: 'not_found',
    message: 'You have no such device.',
  },
  keyPackageNotFound: {
    code: 'KeyPackageNotFound',
    kind: 'conflict',
    message: 'A key package is unknown, used, outdated, or was not given to you.',
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
    message: 'A device that is added is in the group.',
  },
  mutualBlock: {
    code: 'MutualBlockDetected',
    kind: 'forbidden',
    message: 'Two of the people block one another.',
  },
  blockedByMember: {
    code: 'BlockedByMember',
    kind: 'forbidden',
    message: 'Somebody who is added and a member block one another.',
  },
  convoExists: { code: 'ConvoExists', kind: 'conflict', message: 'The group id is taken.' },
  targetNotMember: {
    code: 'TargetNotMember',
    kind: 'invalid',
    message: 'That person is no member.',
  },
  cannotRemoveSelf: {
    code: 'CannotRemoveSelf',
    kind: 'invalid',
    message: 'Leave with leaveConvo instead.',
  },
  cannotReportSelf: { code: 'CannotReportSelf', kind: 'invalid', message: 'This is yourself.' },
  lastMember: { code: 'LastMember', kind: 'conflict', message: 'The last member stays.' },
  lastAdmin: {
    code: 'LastAdmin',
    kind: 'conflict',
    message: 'The last admin has to make another one first.',
  },
  alreadyAdmin: { code: 'AlreadyAdmin', kind: 'conflict', message: 'That person is an admin.' },
  notAdminTarget: { code: 'NotAdminTarget', kind: 'conflict', message: 'That person is no admin.' },
  invalidCursor: {
    code: 'InvalidCursor',
    kind: 'invalid',
    message: 'This is no cursor of this server.',
  },
  cursorExpired: {
    code: 'CursorExpired',
    kind: 'gone',
    message: 'What follows was compacted: resync from the GroupInfo.',
  },
  invalidEpochRange: {
    code: 'InvalidEpochRange',
    kind: 'invalid',
    message: 'The range of epochs ends before it begins.',
  },
  welcomeNotFound: { code: 'WelcomeNotFound', kind: 'not_found', message: 'No Welcome waits.' },
  ambiguousWelcome: {
    code: 'AmbiguousWelcome',
    kind: 'invalid',
    message: 'Several Welcomes wait: name the device or the key package.',
  },
  groupInfoUnavailable: {
    code: 'GroupInfoUnavailable',
    kind: 'not_found',
    message: 'No member left a GroupInfo of the current epoch.',
  },
  invalidPsk: {
    code: 'InvalidPsk',
    kind: 'forbidden',
    message: 'There is no invitation to this conversation with this secret for you.',
  },
  policyViolation: {
    code: 'PolicyViolation',
    kind: 'forbidden',
    message: 'The policy of the conversation does not allow it.',
  },
  inviteExists: {
    code: 'InviteExists',
    kind: 'conflict',
    message: 'There is an invitation with this secret.',
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
    message: 'The report is resolved.',
  },
  blobTooLarge: { code: 'BlobTooLarge', kind: 'too_large', message: 'The file is too large.' },
  quotaExceeded: {
    code: 'QuotaExceeded',
    kind: 'too_large',
    message: 'There is no room left for this file.',
  },
  blobMismatch: {
    code: 'BlobMismatch',
    kind: 'invalid',
    message: 'The bytes are not those that were announced.',
  },
  invalidBlob: {
    code: 'InvalidBlob',
    kind: 'invalid',
    message: 'The file is empty or was cut off.',
  },
  blobNotFound: { code: 'BlobNotFound', kind: 'not_found', message: 'There is no such file here.' },
  invalidTicket: {
    code: 'InvalidTicket',
    kind: 'unauthenticated',
    message: 'The ticket was used or is outdated.',
  },
  membershipEnded: {
    code: 'MembershipEnded',
    kind: 'forbidden',
    message: 'You are no member of this conversation any more.',
  },
  futureCursor: {
    code: 'FutureCursor',
    kind: 'invalid',
    message: 'This is no cursor of this server.',
  },
  friendNotFound: {
    code: 'FriendNotFound',
    kind: 'not_found',
    message: 'Nobody has this friend key.',
  },
  notAdmitted: {
    code: 'NotAdmitted',
    kind: 'forbidden',
    message: 'This identity has no account here: bring an invitation.',
  },
})
