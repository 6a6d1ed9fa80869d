import { commonErrors, defineErrors } from '../../platform/errors.ts'

export const conversationErrors = defineErrors({
  // Unknown conversations, other people's and other tenants' get the same
  // answer; the audit log has the reason.
  notMember: { ...commonErrors.forbidden, hubCode: 'not_member' },
  onlyAdmins: { ...commonErrors.forbidden, message: 'Only its admins change this of a group.' },
  onlyPeople: { ...commonErrors.forbidden, message: 'Only a person writes to the server.' },
  invalidType: {
    code: 'invalid_type',
    kind: 'invalid',
    message: 'The type must be Dm or Group.',
  },
  noMembers: {
    code: 'no_members',
    kind: 'invalid',
    message: 'Name at least one other person.',
  },
  notFriends: {
    code: 'not_friends',
    kind: 'invalid',
    message: 'You are not friends with everyone you named.',
  },
  dmRequiresExactlyOneOther: {
    code: 'dm_requires_exactly_one_other',
    kind: 'invalid',
    message: 'A direct conversation has exactly one other person.',
  },
  groupRequiresName: {
    code: 'group_requires_name',
    kind: 'invalid',
    message: 'A group needs a name.',
  },
  groupTooLarge: {
    code: 'group_too_large',
    kind: 'invalid',
    message: 'The group would have too many members.',
  },
  groupFull: {
    code: 'group_full',
    kind: 'invalid',
    message: 'The group is full.',
  },
  dmCannotBeRenamed: {
    code: 'dm_cannot_be_renamed',
    kind: 'invalid',
    message: 'A direct conversation has no name.',
  },
  dmCannotBeModified: {
    code: 'dm_cannot_be_modified',
    kind: 'invalid',
    message: 'The members of a direct conversation cannot change.',
  },
  dmHasNoAvatar: {
    code: 'dm_has_no_avatar',
    kind: 'invalid',
    message: 'A direct conversation shows the other person’s avatar.',
  },
  youAreMember: {
    code: 'already_member',
    kind: 'invalid',
    message: 'You are already a member.',
  },
  alreadyMember: {
    code: 'already_member',
    kind: 'conflict',
    message: 'This person is already a member.',
  },
  ownerCannotLeave: {
    code: 'owner_cannot_leave_or_be_removed',
    kind: 'invalid',
    message: 'The owner has to hand the group over first.',
  },
  ownerHandsOver: {
    code: 'owner_hands_over',
    kind: 'invalid',
    message: 'To step down, make another member the owner.',
  },
  newOwnerNotActive: {
    code: 'new_owner_not_active',
    kind: 'conflict',
    message: 'This person cannot sign in, so they cannot own a group.',
  },
})
