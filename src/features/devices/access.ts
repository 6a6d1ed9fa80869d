/** What push may ask and do about devices. */
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
