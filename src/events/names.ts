/**
 * Every event the server can send; no other name compiles. Events are stored as rows and repeated by a
 * sync; signals are sent once.
 */
export const EVENT_NAMES = [
  'MessageReceived',
  'MessageEdited',
  'MessageDeleted',
  'ReactionChanged',
  'MessagePinned',
  'MessageUnpinned',
  'ConversationCreated',
  'ConversationRenamed',
  'ConversationAvatarChanged',
  'ConversationSettingsChanged',
  'ConversationMemberAdded',
  'ConversationMemberRemoved',
  'ConversationMemberRoleChanged',
  'ConversationRead',
  'ConversationDelivered',
  'CallMissed',
  'MlsEvent',
  'FriendRequestReceived',
  'FriendRequestAccepted',
  'FriendshipChanged',
  'ProfileChanged',
  'SessionStarted',
  'SessionRenamed',
  'SessionRevoked',
] as const

export const SIGNAL_NAMES = [
  'Typing',
  'PresenceChanged',
  'IncomingCall',
  'CallAnswered',
  'IceCandidate',
  'CallRejected',
  'CallEnded',
] as const

export type EventName = (typeof EVENT_NAMES)[number]
/** `MlsEvent` is both: encrypted groups also send it for what is not stored. */
export type SignalName = (typeof SIGNAL_NAMES)[number] | 'MlsEvent'
