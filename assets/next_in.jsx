// How long it is until a moment, in words that count down by themselves.
import { useEffect, useState } from "react";

const MINUTE = 60;
const HOUR = 60 * MINUTE;

function words(seconds, prefix) {
  if (seconds <= 0) return "any moment now";
  if (seconds < MINUTE) return `${prefix}in ${Math.ceil(seconds)} s`;
  if (seconds < 59.5 * MINUTE) return `${prefix}in ${Math.round(seconds / MINUTE)} min`;
  return `${prefix}in ${Math.round(seconds / HOUR)} h`;
}

export function NextIn({ moment, prefix = "" }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const exact = new Date(moment).toLocaleString([], { dateStyle: "medium", timeStyle: "medium" });
  const shown = words((Date.parse(moment) - now) / 1000, prefix);
  return <time dateTime={moment} title={exact} className="tabular-nums">{shown}</time>;
}
