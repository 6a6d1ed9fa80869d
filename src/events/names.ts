/**
 * Every event the server can send: nothing else compiles. Events are kept as rows and come again with
 * a sync; signals are said once.
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
/** What an encrypted group says once and keeps nothing of has the name of what it keeps. */
export type SignalName = (typeof SIGNAL_NAMES)[number] | 'MlsEvent'
