import { X509Certificate } from 'node:crypto';
import { rootCertificates, type PeerCertificate } from 'node:tls';
import { createPinCheck } from '../../src/getbill/tls-pins.js';

it('in report-only mode a miss is told once, and what was told long ago does not stay in memory', () => {
  const hosts: string[] = [];
  const check = createPinCheck({
    config: { tlsPins: ['a pin', 'another'], tlsPinsReportOnly: true },
    emit: (event) => void (event.type === 'tls_failed' && hosts.push(event.host)),
  });
  const { raw } = new X509Certificate(rootCertificates[0] ?? '');
  const certificate = { subject: {}, subjectaltname: 'DNS:*.getbill.example', raw };
  const show = (index: number): unknown =>
    check(`h${index}.getbill.example`, certificate as unknown as PeerCertificate);
  for (let index = 0; index < 200; index += 1) expect([show(index), show(index)]).toEqual([undefined, undefined]); // prettier-ignore
  expect(hosts).toHaveLength(200);
  show(199);
  expect(hosts).toHaveLength(200);
  show(0);
  expect(hosts).toHaveLength(201);
});
