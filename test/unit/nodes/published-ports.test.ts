import { expect, test } from "vitest";
import { publishedUrl, schemeOf } from "../../../lib/nodes/published-ports.ts";

test.each([
  ["127.0.0.1:4222->4222/tcp, 127.0.0.1:8230->8222/tcp, 6222/tcp", "http://127.0.0.1:8230"],
  ["0.0.0.0:8222->8222/tcp, [::]:8222->8222/tcp", "http://127.0.0.1:8222"],
  ["10.0.0.5:8222->8222/tcp", "http://10.0.0.5:8222"],
  ["[::1]:4222->4222/tcp, [::1]:8230->8222/tcp, 6222/tcp", "http://[::1]:8230"],
  ["[2001:db8::5]:8222->8222/tcp", "http://[2001:db8::5]:8222"],
  ["2001:db8::5:8222->8222/tcp", "http://[2001:db8::5]:8222"],
  [":::8222->8222/tcp", "http://[::1]:8222"],
  ["0.0.0.0:8222->8222/tcp, :::8222->8222/tcp", "http://127.0.0.1:8222"],
  ["[::]:8222->8222/tcp", "http://[::1]:8222"],
  ["127.0.0.1:8222->4222/tcp, 8222/tcp", undefined],
  ["", undefined],
])("%s is reached at %s", (ports, url) => {
  expect(publishedUrl(ports, 8222)).toBe(url);
});

test.each([
  ["", "http"],
  ['{"image":"nats:2.15.2"}', "http"],
  ['{"image":"nats:2.15.2","tls":"stack"}', "https"],
] as const)("a container of %s is asked by %s", (settings, scheme) => {
  expect(schemeOf(settings)).toBe(scheme);
  const url = publishedUrl("127.0.0.1:8222->8222/tcp", 8222, schemeOf(settings));
  expect(url).toBe(`${scheme}://127.0.0.1:8222`);
});
