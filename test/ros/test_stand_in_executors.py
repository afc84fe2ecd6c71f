# Copyright 2026 loc3r_ros developers. Licensed under the Apache License 2.0.
"""Services, executors and shutdown: passes on the real rclpy and on the stand-in alike."""

import threading
import time

import pytest
import rclpy
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.exceptions import (
    NotInitializedException,
)
from rclpy.executors import (
    ExternalShutdownException,
    MultiThreadedExecutor,
    SingleThreadedExecutor,
)
from rclpy.node import Node
from std_srvs.srv import SetBool, Trigger


def test_a_service_answers(ros):
    node = Node('server')
    asked = []

    def on_call(request, response):
        asked.append(request.data)
        response.success, response.message = True, 'done'
        return response

    service = node.create_service(SetBool, 'set', on_call)
    ros.spin(node)
    answer = ros.call('/set', SetBool, SetBool.Request(data=True))
    assert (answer.success, answer.message, asked) == (True, 'done', [True])
    assert ('/set', ['std_srvs/srv/SetBool']) in ros.node.get_service_names_and_types()
    node.destroy_service(service)
    client = ros.node.create_client(SetBool, '/set')
    ros.wait_for(lambda: not client.service_is_ready())
    assert not client.wait_for_service(0.05)
    with pytest.raises(TypeError):
        client.call_async(Trigger.Request())


def test_callbacks_of_a_group_exclude_each_other(ros):
    node = Node('worker')
    running, most = [], {'exclusive': 0, 'reentrant': 0}

    def work(kind):
        running.append(kind)
        most[kind] = max(most[kind], running.count(kind))
        time.sleep(0.05)
        running.remove(kind)

    for kind, group in (
        ('exclusive', MutuallyExclusiveCallbackGroup()),
        ('reentrant', ReentrantCallbackGroup()),
    ):
        for _ in range(3):
            node.create_timer(0.01, lambda kind=kind: work(kind), callback_group=group)
    ros.spin(node, executor=MultiThreadedExecutor(8))
    time.sleep(0.5)
    assert most['exclusive'] == 1 and most['reentrant'] >= 2


def test_no_callback_starves_the_others(ros):
    node = Node('busy')
    busy, calm = [], []
    node.create_timer(0.0001, lambda: busy.append(1) or time.sleep(0.001))
    node.create_timer(0.05, lambda: calm.append(1))
    ros.spin(node)
    ros.wait_for(lambda: len(calm) >= 3 and len(busy) >= 30)


def test_what_a_callback_raises_ends_spin(ros):
    node = Node('clumsy')
    node.create_timer(0.01, lambda: 1 / 0)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    with pytest.raises(ZeroDivisionError):
        executor.spin()
    executor.shutdown()
    node.destroy_node()


def test_spinning_once_runs_at_most_one_callback(ros):
    node = Node('stepper')
    calls = []
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    for number in (1, 2):
        executor.create_task(calls.append, number)
    for count in (1, 2):
        executor.spin_once(timeout_sec=1.0)
        assert len(calls) == count
    start = time.monotonic()
    executor.spin_once(timeout_sec=0.1)
    assert 0.05 < time.monotonic() - start < 1.0
    future = executor.create_task(lambda a: a + 1, 2)
    executor.spin_once(timeout_sec=1.0)
    assert future.done() and future.result() == 3
    executor.shutdown()
    node.destroy_node()


@pytest.mark.parametrize(
    ('executor_type', 'raises'), [(SingleThreadedExecutor, True), (MultiThreadedExecutor, False)]
)
def test_shutdown_ends_spin_in_another_thread(ros, executor_type, raises):
    node = Node('idle')
    executor = executor_type()
    executor.add_node(node)
    ended = []

    def spin():
        try:
            executor.spin()
            ended.append(False)
        except ExternalShutdownException:
            ended.append(True)

    thread = threading.Thread(target=spin)
    thread.start()
    time.sleep(0.2)
    called = []
    rclpy.get_default_context().on_shutdown(lambda: called.append(1))
    rclpy.shutdown()
    thread.join(5.0)
    assert ended == [raises] and called == [1]
    assert not rclpy.ok()
    with pytest.raises(RuntimeError):
        rclpy.shutdown()
    rclpy.try_shutdown()
    with pytest.raises(NotInitializedException):
        Node('late')
