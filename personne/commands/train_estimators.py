"""personne train estimators: the small networks that score faces, trained, measured on unseen people, exported."""

import json
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from models.estimates import ESTIMATES, GRAPH_FILE, REPORT_FILE, SIDE
from models.export.onnx_graph import draw_graph, round_to_half, save_graph
from training.cost import count_parameters, memory_line, parameter_lines, pictures_line, steps_line, typed_settings
from training.dataset import names_of
from training.estimators.accuracy import Figures, accuracy_of
from training.estimators.labels import GROUPS, load_portraits
from training.estimators.loop import EstimatorConfig
from training.estimators.loop import train_estimators as train
from training.estimators.network import Estimator, EstimatorGraph, Estimators
from training.picture_files import opened_files

TEST = "test"


def train_estimators(config: EstimatorConfig, out: Path) -> None:
    """Train on the portraits of the split `train`, measure on those of `test`, write graph and report into `out`.

    Raises TrainingError.
    """
    torch.set_flush_denormal(True)
    portraits, unseen = load_portraits(config.data, "train"), load_portraits(config.data, TEST)
    with Progress(console=Console(stderr=True)) as progress:
        bar = progress.add_task("estimators", total=config.epochs * len(GROUPS))

        def tell(epoch: int, loss: float) -> None:
            progress.update(bar, completed=epoch, description=f"estimators, loss {loss:.3f}")

        network = train(portraits, config, tell)
    write_estimators(network, accuracy_of(network, unseen), out)


def dry_run(config: EstimatorConfig) -> list[str]:
    """What would be done and what it would cost, in lines. Raises DatasetError where there are no such portraits."""
    with opened_files(config.data) as files:
        count = len(names_of(files))
    networks = {"+".join(one.name for one in group): Estimator(len(group)) for group in GROUPS}
    steps = -(-count // config.batch) * config.epochs * len(networks)
    return [
        *typed_settings(config),
        "",
        *parameter_lines(networks),
        f"at most {steps_line(steps, config.batch)}: portraits of which nothing is known are left out",
        memory_line(max(count_parameters(network) for network in networks.values())),
        pictures_line("portraits", count, SIDE),
    ]


def write_estimators(network: Estimators, accuracy: dict[str, dict[str, Figures]], out: Path) -> None:
    """The graph, and what it is worth, as files in `out` and as a table."""
    out.mkdir(parents=True, exist_ok=True)
    round_to_half(network)
    save_graph(draw_graph(EstimatorGraph(network)), out / GRAPH_FILE)
    columns = [
        {"name": one.name, "meaning": one.meaning, "unit": one.unit or "logit", "from_pixels": one.from_pixels}
        for one in ESTIMATES
    ]
    report = {"columns": columns, "measured_on": "people of whom no portrait was trained on", "accuracy": accuracy}
    (out / REPORT_FILE).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    _print(accuracy)


def _print(accuracy: dict[str, dict[str, Figures]]) -> None:
    table = Table("attribute", "of", "portraits", "figures")
    for name, groups in accuracy.items():
        for group, figures in groups.items():
            told = ", ".join(f"{key} {value:g}" for key, value in figures.items() if key != "count")
            table.add_row(name, group, str(figures["count"]), told)
    Console().print(table)
