/** What the push feature may read and write about devices. */
export {
  deleteExpiredDevices,
  forgetDevice,
  forgetDevicesOfSessions,
  forgetDevicesOfUser,
  hasDevices,
  listDevices,
  listDevicesOfUser,
  listMemberDevices,
  touchDevice,
} from './store.ts'
