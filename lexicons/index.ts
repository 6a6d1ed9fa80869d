import addMembers from './blue/catbird/mls/addMembers.json' with { type: 'json' }
import confirmWelcome from './blue/catbird/mls/confirmWelcome.json' with { type: 'json' }
import createConvo from './blue/catbird/mls/createConvo.json' with { type: 'json' }
import createInvite from './blue/catbird/mls/createInvite.json' with { type: 'json' }
import defs from './blue/catbird/mls/defs.json' with { type: 'json' }
import deleteDevice from './blue/catbird/mls/deleteDevice.json' with { type: 'json' }
import demoteAdmin from './blue/catbird/mls/demoteAdmin.json' with { type: 'json' }
import getBlob from './blue/catbird/mls/getBlob.json' with { type: 'json' }
import getCommits from './blue/catbird/mls/getCommits.json' with { type: 'json' }
import getConvos from './blue/catbird/mls/getConvos.json' with { type: 'json' }
import getEpoch from './blue/catbird/mls/getEpoch.json' with { type: 'json' }
import getGroupInfo from './blue/catbird/mls/getGroupInfo.json' with { type: 'json' }
import getKeyPackageStats from './blue/catbird/mls/getKeyPackageStats.json' with { type: 'json' }
import getKeyPackages from './blue/catbird/mls/getKeyPackages.json' with { type: 'json' }
import getMessages from './blue/catbird/mls/getMessages.json' with { type: 'json' }
import getReports from './blue/catbird/mls/getReports.json' with { type: 'json' }
import getSubscriptionTicket from './blue/catbird/mls/getSubscriptionTicket.json' with {
  type: 'json',
}
import getWelcome from './blue/catbird/mls/getWelcome.json' with { type: 'json' }
import leaveConvo from './blue/catbird/mls/leaveConvo.json' with { type: 'json' }
import listDevices from './blue/catbird/mls/listDevices.json' with { type: 'json' }
import optIn from './blue/catbird/mls/optIn.json' with { type: 'json' }
import optOut from './blue/catbird/mls/optOut.json' with { type: 'json' }
import processExternalCommit from './blue/catbird/mls/processExternalCommit.json' with {
  type: 'json',
}
import promoteAdmin from './blue/catbird/mls/promoteAdmin.json' with { type: 'json' }
import publishKeyPackage from './blue/catbird/mls/publishKeyPackage.json' with { type: 'json' }
import publishKeyPackages from './blue/catbird/mls/publishKeyPackages.json' with { type: 'json' }
import registerDevice from './blue/catbird/mls/registerDevice.json' with { type: 'json' }
import removeMember from './blue/catbird/mls/removeMember.json' with { type: 'json' }
import reportMember from './blue/catbird/mls/reportMember.json' with { type: 'json' }
import resolveReport from './blue/catbird/mls/resolveReport.json' with { type: 'json' }
import revokeInvite from './blue/catbird/mls/revokeInvite.json' with { type: 'json' }
import sendMessage from './blue/catbird/mls/sendMessage.json' with { type: 'json' }
import subscribeConvoEvents from './blue/catbird/mls/subscribeConvoEvents.json' with {
  type: 'json',
}
import syncKeyPackages from './blue/catbird/mls/syncKeyPackages.json' with { type: 'json' }
import updateCursor from './blue/catbird/mls/updateCursor.json' with { type: 'json' }
import updateGroupInfo from './blue/catbird/mls/updateGroupInfo.json' with { type: 'json' }
import updatePolicy from './blue/catbird/mls/updatePolicy.json' with { type: 'json' }
import uploadBlob from './blue/catbird/mls/uploadBlob.json' with { type: 'json' }

/** Every lexicon of ours. A static list: a compiled executable cannot scan folders. */
export const lexicons: readonly { readonly lexicon: number; readonly id: string }[] = [
  addMembers,
  confirmWelcome,
  createConvo,
  createInvite,
  defs,
  deleteDevice,
  demoteAdmin,
  getBlob,
  getCommits,
  getConvos,
  getEpoch,
  getGroupInfo,
  getKeyPackageStats,
  getKeyPackages,
  getMessages,
  getReports,
  getSubscriptionTicket,
  getWelcome,
  leaveConvo,
  listDevices,
  optIn,
  optOut,
  processExternalCommit,
  promoteAdmin,
  publishKeyPackage,
  publishKeyPackages,
  registerDevice,
  removeMember,
  reportMember,
  resolveReport,
  revokeInvite,
  sendMessage,
  subscribeConvoEvents,
  syncKeyPackages,
  updateCursor,
  updateGroupInfo,
  updatePolicy,
  uploadBlob,
]
