#!/usr/bin/env node
import { addApiKey } from './apikey.ts'
import { addAudit } from './audit.ts'
import { addBot } from './bot.ts'
import { addCompletion } from './completion.ts'
import { addConfig } from './config.ts'
import { addDb } from './db.ts'
import { addIncident } from './incident.ts'
import { addInit } from './init.ts'
import { addInvite } from './invite.ts'
import { addKey } from './key.ts'
import { addLockdown } from './lockdown.ts'
import { addMail } from './mail.ts'
import { addMls } from './mls.ts'
import { runProgram } from './program.ts'
import { addProxy } from './proxy.ts'
import { addPush } from './push.ts'
import { addReport } from './report.ts'
import { addRetention } from './retention.ts'
import { addServe } from './serve.ts'
import { addSubject } from './subject.ts'
import { addTenant } from './tenant.ts'
import { addTurn } from './turn.ts'
import { addUser } from './user.ts'
import { addVersion } from './version.ts'

await runProgram([
  addInit,
  addServe,
  addInvite,
  addUser,
  addKey,
  addApiKey,
  addBot,
  addSubject,
  addTurn,
  addProxy,
  addMail,
  addPush,
  addReport,
  addAudit,
  addRetention,
  addLockdown,
  addIncident,
  addMls,
  addTenant,
  addConfig,
  addDb,
  addVersion,
  addCompletion,
])
