// A stock NestJS microservice that listens to events of bookings and prints each as a line of JSON.

import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, Payload, Transport } from '@nestjs/microservices';
import { petpro } from './petpro.js';

class Bookings {
  heard(event, context) {
    const headers = context.getHeaders();
    const line = { subject: context.getSubject(), type: headers.get('ce-type'), id: headers.get('ce-id'), event };
    process.stdout.write(`${JSON.stringify(line)}\n`);
  }
}
class Listener {}

// In TypeScript: @Controller() class Bookings { @EventPattern('event.booking.*.*') heard(@Payload() …, @Ctx() …) {} }
Controller()(Bookings);
EventPattern('event.booking.*.*')(Bookings.prototype, 'heard', Object.getOwnPropertyDescriptor(Bookings.prototype, 'heard'));
Payload()(Bookings.prototype, 'heard', 0);
Ctx()(Bookings.prototype, 'heard', 1);
Module({ controllers: [Bookings] })(Listener);

// One of the instances that share a queue hears each event.
const options = { ...petpro, queue: 'neighbour' };
const service = await NestFactory.createMicroservice(Listener, { transport: Transport.NATS, options, logger: ['error'] });
await service.listen();
await service.unwrap().flush();
process.stdout.write('{"listening":true}\n');
