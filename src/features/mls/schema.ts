// Types of inputs validated by the lexicons; the files in /lexicons document the fields.

export interface ConvoId {
  readonly convoId: string
}

interface Repeatable {
  readonly idempotencyKey?: string
}

export interface KeyPackageHash {
  readonly did: string
  readonly hash: string
}

export interface CreateConvo extends Repeatable {
  readonly groupId: string
  readonly cipherSuite: string
  readonly initialMembers?: readonly string[]
  readonly welcomeMessage?: string
  readonly welcome?: string
  readonly keyPackageHashes?: readonly KeyPackageHash[]
  readonly metadata?: { readonly name?: string; readonly description?: string }
  readonly currentEpoch?: number
  readonly groupInfo?: string
}

export interface AddMembers extends ConvoId, Repeatable {
  readonly didList: readonly string[]
  readonly commit: string
  readonly welcomeMessage?: string
  readonly welcome?: string
  readonly keyPackageHashes?: readonly KeyPackageHash[]
  readonly groupInfo?: string
}

export interface LeaveConvo extends ConvoId, Repeatable {
  readonly targetDid?: string
  readonly commit?: string
  readonly proposals?: readonly string[]
  readonly groupInfo?: string
}

export interface RemoveMember extends ConvoId, Repeatable {
  readonly targetDid: string
  readonly commit?: string
  readonly groupInfo?: string
  readonly reason?: string
}

export interface ExternalCommit extends ConvoId, Repeatable {
  readonly externalCommit: string
  readonly groupInfo?: string
  readonly psk?: string
}

export interface SendMessage extends ConvoId, Repeatable {
  readonly msgId: string
  readonly ciphertext: Uint8Array
  readonly epoch: number
  readonly paddedSize: number
  readonly delivery?: string
}

export interface GetMessages extends ConvoId {
  readonly limit: number
  readonly sinceSeq?: number
  readonly sinceMessage?: string
  readonly type?: string
}

export interface GetCommits extends ConvoId {
  readonly fromEpoch: number
  readonly toEpoch?: number
}

export interface KeyPackageInput {
  readonly keyPackage: string
  readonly cipherSuite: string
  readonly expires: string
  readonly deviceId?: string
  readonly lastResort?: boolean
  readonly idempotencyKey?: string
}

export interface RegisterDevice extends Repeatable {
  readonly deviceName?: string
  readonly deviceUUID?: string
  readonly signaturePublicKey?: Uint8Array
  readonly keyPackages: readonly KeyPackageInput[]
  readonly pushToken?: string
  readonly platform?: string
}

export interface Target extends ConvoId {
  readonly targetDid: string
}

export interface UpdatePolicy extends ConvoId {
  readonly allowMemberAdd?: boolean
  readonly allowInvites?: boolean
  readonly allowExternalCommits?: boolean
  readonly maxMembers?: number
}

export interface CreateInvite extends ConvoId {
  readonly pskHash: string
  readonly targetDid?: string
  readonly expiresAt?: string
  readonly maxUses?: number
}

export interface ReportMember extends ConvoId, Repeatable {
  readonly reportedDid: string
  readonly category: string
  readonly encryptedContent: Uint8Array
  readonly messageIds?: readonly string[]
}

export interface GetReports extends ConvoId {
  readonly status?: 'pending' | 'resolved' | 'dismissed'
  readonly limit: number
}

export interface Policy {
  readonly allowMemberAdd: boolean
  readonly allowInvites: boolean
  readonly allowExternalCommits: boolean
  readonly maxMembers: number
}

/** An event as sent to the hub's clients: it says where to look and has no content. */
export interface MlsEvent {
  readonly convoId: string
  /** 0 for events without a place in the message sequence. */
  readonly seq: number
  readonly kind: string
}
