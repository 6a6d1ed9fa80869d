export { isAttachmentKeyUsed } from './store.ts'
