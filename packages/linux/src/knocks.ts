import { grown, NumberList } from '@ipvs-director/core'
import { randomFillSync } from 'node:crypto'
import type { KernelSocket } from './native.ts'

/** What became of a SYN: a positive number is the errno that kept it from being sent. */
export const knockEnd = { answered: 0, refused: -1 } as const
/** Comes once for each that was asked and not given up. */
export type KnockTold = (slot: number, end: number) => void

export interface KnockFrom {
  readonly port: number
  /** IPv4: four bytes. */
  readonly source: Uint8Array | undefined
}

/** As in knock.h: SYNs of one call, ends of one call; of a server its numbers, and where they are. */
const together = 64
const mostEnds = 320
const serverNumbers = 10
const serverBytes = 4 * serverNumbers
const sourceAt = 28
const portAt = 8
const sequenceAt = 9

/** As in knock.h. */
const nobody = -1

const stages = { idle: 0, collected: 1, out: 2 } as const

/**
 * SYNs from one port to many servers by a raw TCP socket, and what they answer: all in typed arrays, each server by a small number,
 * its slot. The socket must be bound to the source (IPv4) or make checksums itself (IPv6, IPV6_CHECKSUM), and let SYN-ACKs and RSTs through.
 */
export class Knocks {
  readonly #socket: Pick<KernelSocket, 'knock'>
  readonly #from: KnockFrom
  readonly #told: KnockTold
  #servers = new Int32Array(together * serverNumbers)
  #bytes = new Uint8Array(this.#servers.buffer)
  #stages = new Uint8Array(together)
  /** By the lowest bits of a sequence number: to whose slot it went, or nobody's. Numbers are drawn until one leads to a place that is free. */
  #index = new Int32Array(2 * together).fill(nobody)
  #used = 0
  readonly #free: number[] = []
  readonly #collected = new NumberList()
  readonly #asked = new Int32Array(together)
  readonly #ends = new Int32Array(2 * mostEnds)
  #knocking = false

  constructor(socket: Pick<KernelSocket, 'knock'>, from: KnockFrom, told: KnockTold) {
    this.#socket = socket
    this.#from = from
    this.#told = told
  }

  /** A slot for the server at this `sockaddr_in` or `sockaddr_in6`, whose own port must be 0, and this port. */
  open(address: Uint8Array, port: number): number {
    const slot = this.#free.pop() ?? this.#used++
    if (slot === this.#stages.length) this.#grow()
    this.#bytes.fill(0, slot * serverBytes, (slot + 1) * serverBytes)
    this.#bytes.set(address, slot * serverBytes)
    if (this.#from.source !== undefined) this.#bytes.set(this.#from.source, slot * serverBytes + sourceAt)
    this.#servers[slot * serverNumbers + portAt] = port
    return slot
  }

  /** It must not be asked at the time. */
  close(slot: number): void {
    this.#free.push(slot)
  }

  /** Collects. It must not be asked already. */
  ask(slot: number): void {
    this.#stages[slot] = stages.collected
    this.#collected.push(slot)
  }

  /** Sends what was collected, and tells what has come by then. */
  go(): void {
    if (this.#collected.size > 0) this.hear()
  }

  /** Tells what has come. */
  hear(): void {
    // Whoever is told may ask others: those go out when all are told.
    if (this.#knocking) return
    this.#knocking = true
    try {
      do this.#tell(this.#knock())
      while (this.#collected.size > 0)
    } finally {
      this.#knocking = false
    }
  }

  /** Nothing is told of it any more, until it is asked again. */
  giveUp(slot: number): void {
    this.#stages[slot] = stages.idle
    const sequence = this.#sequence(slot)
    if (sequence !== 0) this.#index[sequence & (this.#index.length - 1)] = nobody
    this.#servers[slot * serverNumbers + sequenceAt] = 0
  }

  /** To whom the SYN with this number (as a signed one) is out. */
  slotOf(sequence: number): number | undefined {
    const slot = this.#holder(sequence)
    return slot !== nobody && this.#sequence(slot) === sequence ? slot : undefined
  }

  #knock(): number {
    const most = Math.min(this.#collected.size, together)
    let count = 0
    for (let n = 0; n < most; n++) {
      const slot = this.#collected.at(n)
      if (this.#stages[slot] !== stages.collected) continue
      this.#stages[slot] = stages.out
      this.#asked[count++] = slot
      this.#number(slot)
    }
    this.#collected.drop(most)
    return this.#socket.knock(this.#from.port, this.#servers, this.#index, this.#asked, count, this.#ends)
  }

  #tell(count: number): void {
    for (let n = 0; n < count; n++) {
      const slot = this.#ends[2 * n] ?? 0
      // Given up by whoever was told of another.
      if (this.#stages[slot] !== stages.out) continue
      this.giveUp(slot)
      this.#told(slot, this.#ends[2 * n + 1] ?? 0)
    }
  }

  #number(slot: number): void {
    let sequence = randomNumber()
    while (sequence === 0 || this.#holder(sequence) !== nobody) sequence = randomNumber()
    this.#servers[slot * serverNumbers + sequenceAt] = sequence
    this.#index[sequence & (this.#index.length - 1)] = slot
  }

  #holder(sequence: number): number {
    return this.#index[sequence & (this.#index.length - 1)] ?? nobody
  }

  #sequence(slot: number): number {
    return this.#servers[slot * serverNumbers + sequenceAt] ?? 0
  }

  #grow(): void {
    this.#servers = grown(this.#servers, 2 * this.#servers.length)
    this.#bytes = new Uint8Array(this.#servers.buffer)
    this.#stages = grown(this.#stages, 2 * this.#stages.length)
    this.#index = new Int32Array(2 * this.#index.length).fill(nobody)
    for (let slot = 0; slot < this.#stages.length; slot++) {
      const sequence = this.#sequence(slot)
      if (sequence !== 0) this.#index[sequence & (this.#index.length - 1)] = slot
    }
  }
}

const randoms = new Int32Array(1024)
let randomsLeft = 0

/** 32 bits that nobody can guess. */
function randomNumber(): number {
  if (randomsLeft === 0) {
    randomFillSync(randoms)
    randomsLeft = randoms.length
  }
  return randoms[--randomsLeft] ?? 0
}
