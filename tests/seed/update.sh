# update the container image
kubectl set image deployment/podinfo deploy-container=seed-app:3.0.1  # instead of `podinfod=stefanprodan/podinfo:3.0.1`: container and image as in deploy.yaml

# wait for Flagger to detect the change
count=1
ok=false
until ${ok}; do
    kubectl get canary/podinfo | grep 'Progressing' && ok=true || ok=false
    sleep 5
    let $(( count++ ))
    if [ $count -ge 10 ]; then
    	echo '更新失败';
    	exit 1
    fi
done
# wait for the canary analysis to finish
kubectl wait canary/podinfo --for=condition=promoted --timeout=5m

# check if the deployment was successful 
kubectl get canary/podinfo | grep Succeeded
