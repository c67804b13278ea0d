import { expect, test } from "vitest";
import { publishedUrl } from "../../lib/published-ports.ts";

test.each([
  ["127.0.0.1:4222->4222/tcp, 127.0.0.1:8230->8222/tcp, 6222/tcp", "http://127.0.0.1:8230"],
  ["0.0.0.0:8222->8222/tcp, [::]:8222->8222/tcp", "http://127.0.0.1:8222"],
  ["10.0.0.5:8222->8222/tcp", "http://10.0.0.5:8222"],
  ["127.0.0.1:8222->4222/tcp, 8222/tcp", undefined],
  ["", undefined],
])("%s is reached at %s", (ports, url) => {
  expect(publishedUrl(ports, 8222)).toBe(url);
});
