//! Figures for Prometheus.

use std::fmt;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry as Figures;

use crate::registry::{Gauge as RegistryGauge, Readiness};

/// The media type that the text is in.
pub(crate) const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Routes are patterns, never paths: a path has document numbers in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

/// The server's own figures.
pub(crate) struct Metrics {
    figures: Figures,
    requests: Family<Answered, Counter>,
    seconds: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge<i64, AtomicI64>,
    bulk_lines: Counter,
}

/// 1 ms to about 16 s, each bucket twice the one before.
fn latency() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 2.0, 15))
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut figures = Figures::with_prefix("piaolian_http");
        let requests = Family::default();
        let seconds = Family::new_with_constructor(latency as fn() -> Histogram);
        let in_flight = Gauge::default();
        let bulk_lines = Counter::default();
        figures.register("requests", "Requests answered", requests.clone());
        figures.register("seconds", "Seconds from request to answer", seconds.clone());
        figures.register("in_flight", "Requests being answered", in_flight.clone());
        figures.register(
            "bulk_lines",
            "Lines of bulk streams answered",
            bulk_lines.clone(),
        );
        Self {
            figures,
            requests,
            seconds,
            in_flight,
            bulk_lines,
        }
    }

    /// Counts a request as being answered until the guard is dropped.
    pub(crate) fn begin(&self) -> InFlight {
        self.in_flight.inc();
        InFlight(self.in_flight.clone())
    }

    pub(crate) fn answered(
        &self,
        method: &'static str,
        route: String,
        status: u16,
        took: Duration,
    ) {
        self.seconds
            .get_or_create(&Route {
                route: route.clone(),
            })
            .observe(took.as_secs_f64());
        self.requests
            .get_or_create(&Answered {
                method,
                route,
                status,
            })
            .inc();
    }

    pub(crate) fn bulk_lines(&self, lines: u64) {
        self.bulk_lines.inc_by(lines);
    }

    /// All figures as text, the registry's own among them.
    pub(crate) fn encode(
        &self,
        readiness: &Readiness,
        gauges: &[RegistryGauge],
    ) -> Result<String, fmt::Error> {
        let mut registry = Figures::with_prefix("piaolian");
        let mut add = |name: &str, help: &str, value: i64| {
            // The text format appends the ending of a counter's name itself.
            if let Some(name) = name.strip_suffix("_total") {
                let counter = Counter::<u64>::default();
                counter.inc_by(u64::try_from(value).unwrap_or_default());
                registry.register(name, help, counter);
                return;
            }
            let gauge = Gauge::<i64, AtomicI64>::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        };
        let height = i64::try_from(readiness.height).unwrap_or(i64::MAX);
        add("height", "Height of the last final block", height);
        let accepting = readiness.storage_ok && readiness.refusing.is_none();
        add(
            "accepting",
            "Whether records are taken, 1 or 0",
            i64::from(accepting),
        );
        for gauge in gauges {
            add(gauge.name, gauge.help, gauge.value);
        }
        let mut text = String::new();
        encode_registry(&mut text, &self.figures)?;
        encode_registry(&mut text, &registry)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

/// One request being answered.
pub(crate) struct InFlight(Gauge<i64, AtomicI64>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_out_as_text_with_one_end() {
        let metrics = Metrics::new();
        let guard = metrics.begin();
        metrics.answered(
            "GET",
            "/v1/documents/{key}".into(),
            404,
            Duration::from_millis(3),
        );
        let readiness = Readiness {
            height: 7,
            time: None,
            storage_ok: true,
            refusing: None,
        };
        let gauges = [("mempool_records", 5), ("alarms_total", 2)].map(|(name, value)| {
            let help = "Waiting";
            RegistryGauge { name, help, value }
        });
        let text = metrics.encode(&readiness, &gauges).unwrap();
        drop(guard);
        for line in [
            "piaolian_http_requests_total{method=\"GET\",route=\"/v1/documents/{key}\",status=\"404\"} 1",
            "piaolian_http_in_flight 1",
            "piaolian_height 7",
            "piaolian_accepting 1",
            "piaolian_mempool_records 5",
            "# TYPE piaolian_alarms counter",
            "piaolian_alarms_total 2",
        ] {
            assert!(text.contains(line), "{line} not in:\n{text}");
        }
        assert_eq!(text.matches("# EOF").count(), 1);
    }
}
