#!/usr/bin/env node
import { addCompletion } from './completion.ts'
import { addConfig } from './config.ts'
import { addDb } from './db.ts'
import { addInit } from './init.ts'
import { addInvite } from './invite.ts'
import { addKey } from './key.ts'
import { addMls } from './mls.ts'
import { runProgram } from './program.ts'
import { addPush } from './push.ts'
import { addServe } from './serve.ts'
import { addTurn } from './turn.ts'
import { addUser } from './user.ts'
import { addVersion } from './version.ts'

await runProgram([
  addInit,
  addServe,
  addInvite,
  addUser,
  addKey,
  addTurn,
  addPush,
  addMls,
  addConfig,
  addDb,
  addVersion,
  addCompletion,
])
