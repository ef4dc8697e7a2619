"""See what this process's clients did, in numbers and on a page at http://127.0.0.1:8050."""

from strategy_execution_engine.monitoring.feature_store_dashboard import run_dashboard
from strategy_execution_engine.monitoring.feature_store_metrics import feature_store_metrics

if __name__ == "__main__":
    metrics = feature_store_metrics.get_metrics()
    print(f"API calls: {metrics['api_calls']['total']}")
    print(f"Cache hit rate: {metrics['cache']['hit_rate']:.2f}")
    run_dashboard(port=8050, debug=True)
