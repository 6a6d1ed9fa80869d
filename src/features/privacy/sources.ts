import type { Ctx } from '../../context.ts'
import type { PersonalData } from '../../db/personal-data.ts'
import { accountData } from '../accounts/personal.ts'
import { apiKeyData } from '../api-keys/personal.ts'
import { attachmentData } from '../attachments/personal.ts'
import { auditData } from '../audit/personal.ts'
import { callData } from '../calls/personal.ts'
import { conversationData } from '../conversations/personal.ts'
import { deviceData } from '../devices/personal.ts'
import { friendData } from '../friends/personal.ts'
import { inviteData } from '../invites/personal.ts'
import { subjectData } from '../jwt-bearers/personal.ts'
import { messageData } from '../messages/personal.ts'
import { factorData } from '../mfa/personal.ts'
import { mlsData } from '../mls/personal.ts'
import { nodeData } from '../nodes/personal.ts'
import { grantData } from '../oauth/personal.ts'
import { identityData } from '../oidc/personal.ts'
import { pinData } from '../pins/personal.ts'
import { reactionData } from '../reactions/personal.ts'
import { reportData } from '../reports/personal.ts'
import { roleData } from '../roles/personal.ts'
import { sessionData } from '../sessions/personal.ts'
import { privacyData } from './personal.ts'

/** Every feature that stores personal data. The account goes last: others look things up by it. */
export const PERSONAL_DATA: readonly PersonalData<Ctx>[] = [
  sessionData,
  deviceData,
  friendData,
  conversationData,
  messageData,
  attachmentData,
  reactionData,
  pinData,
  reportData,
  inviteData,
  callData,
  nodeData,
  apiKeyData,
  roleData,
  subjectData,
  identityData,
  factorData,
  grantData,
  mlsData,
  auditData,
  privacyData,
  accountData,
]
